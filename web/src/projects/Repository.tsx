import type { ProjectSource } from "@aws-sdk/client-codebuild";
import { ExternalLink } from "../parts/ExternalLink";
import { webLink } from "../parts/link";

/** Where a source is: a link if it can be one. */
export function Repository({ source, short = false }: { source: ProjectSource | undefined; short?: boolean }) {
  const location = source?.location ?? "";
  if (location === "") return <>–</>;
  const url = webLink(location);
  return <ExternalLink to={url}>{short && url !== undefined ? new URL(url).pathname.replace(/^\//, "").replace(/\.git$/, "") : location}</ExternalLink>;
}
