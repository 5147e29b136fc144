import { Page } from "../parts/Page";

/** The projects. */
export default function ProjectsPage() {
  return <Page title="Build projects">{null}</Page>;
}
