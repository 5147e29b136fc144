import { Page } from "../parts/Page";

/** Makes a project. */
export default function CreateProjectPage() {
  return <Page title="Create build project">{null}</Page>;
}
