import BreadcrumbGroup from "@cloudscape-design/components/breadcrumb-group";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useEffect, useRef, type ReactNode } from "react";
import { useLocation } from "wouter";
import { useArrival } from "../app/arrival";
import { href, useFollow } from "../app/navigate";

export interface Crumb {
  readonly text: string;
  readonly to: string;
}

/** A page: its title, also that of the tab, where it stands, what one can do, and what it shows. */
export function Page({
  title,
  crumbs = [],
  actions,
  description,
  counter,
  children,
}: {
  title: string;
  /** The pages above this one, without the home page. */
  crumbs?: readonly Crumb[];
  actions?: ReactNode;
  description?: ReactNode;
  counter?: string;
  children: ReactNode;
}) {
  const follow = useFollow();
  const [location] = useLocation();
  const titled = useRef<HTMLSpanElement>(null);
  const whole = useRef<HTMLDivElement>(null);
  useArrival(titled, whole);
  useEffect(() => {
    document.title = `${title} · Slipway`;
  }, [title]);
  return (
    <>
      {location !== "/" && (
        <div style={{ paddingBlockEnd: 8 }}>
          <BreadcrumbGroup
            ariaLabel="Breadcrumbs"
            items={[{ text: "Slipway", href: href("/") }, ...crumbs.map((c) => ({ text: c.text, href: href(c.to) })), { text: title, href: "#" }]}
            onFollow={follow}
          />
        </div>
      )}
      <div style={{ paddingBlockEnd: 16 }}>
        <Header variant="h1" actions={actions} description={description} counter={counter}>
          <span id="page-title" ref={titled} tabIndex={-1} className="page-title">
            {title}
          </span>
        </Header>
      </div>
      <div ref={whole}>
        <SpaceBetween size="l">{children}</SpaceBetween>
      </div>
    </>
  );
}
