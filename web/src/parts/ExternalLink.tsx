import Link from "@cloudscape-design/components/link";
import type { ReactNode } from "react";
import { webLink } from "./link";

/** A link to an address from data, which opens in a new tab; its text alone if no link may lead there. */
export function ExternalLink({ to, children }: { to: string | undefined; children: ReactNode }) {
  const href = webLink(to);
  if (href === undefined) return <>{children}</>;
  return (
    <Link href={href} external externalIconAriaLabel="Opens in a new tab">
      {children}
    </Link>
  );
}
