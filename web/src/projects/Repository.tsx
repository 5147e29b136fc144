import type { ProjectSource } from "@aws-sdk/client-codebuild";
import Link from "@cloudscape-design/components/link";

/** Where a source is: a link if it can be one. */
export function Repository({ source, short = false }: { source: ProjectSource | undefined; short?: boolean }) {
  const location = source?.location ?? "";
  if (location === "") return <>–</>;
  const url = URL.canParse(location) ? new URL(location) : undefined;
  if (url === undefined || (url.protocol !== "https:" && url.protocol !== "http:")) return <>{location}</>;
  return (
    <Link href={url.href} external externalIconAriaLabel="Opens in a new tab">
      {short ? url.pathname.replace(/^\//, "").replace(/\.git$/, "") : location}
    </Link>
  );
}
