import { Page } from "../parts/Page";

/** Changes a project. */
export default function EditProjectPage() {
  return <Page title="Edit project">{null}</Page>;
}
