import { Page } from "../parts/Page";

/** One project. */
export default function ProjectPage() {
  return <Page title="Project">{null}</Page>;
}
