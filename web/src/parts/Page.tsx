import BreadcrumbGroup from "@cloudscape-design/components/breadcrumb-group";
import { href, useFollow } from "../app/navigate";
import { Titled, type TitledProps } from "./Titled";

export interface Crumb {
  readonly text: string;
  readonly to: string;
}

interface PageProps extends TitledProps {
  /** The pages between the home page and this one. */
  crumbs?: readonly Crumb[];
}

/** A page below the home page, and where it stands. */
export function Page({ crumbs = [], ...props }: PageProps) {
  const follow = useFollow();
  return (
    <>
      <div style={{ paddingBlockEnd: 8 }}>
        <BreadcrumbGroup
          ariaLabel="Breadcrumbs"
          items={[{ text: "Slipway", href: href("/") }, ...crumbs.map((c) => ({ text: c.text, href: href(c.to) })), { text: props.title, href: "#" }]}
          onFollow={follow}
        />
      </div>
      <Titled {...props} />
    </>
  );
}
