import Link, { type LinkProps } from "@cloudscape-design/components/link";
import { href, useFollow } from "../app/navigate";

/** A link to a page of the console. */
export function AppLink({ to, ...rest }: Omit<LinkProps, "href" | "onFollow" | "external"> & { to: string }) {
  const follow = useFollow();
  return <Link {...rest} href={href(to)} onFollow={follow} />;
}
