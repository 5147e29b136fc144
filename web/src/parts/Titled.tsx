import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useEffect, useRef, type ReactNode } from "react";
import { useArrival } from "../app/arrival";

export interface TitledProps {
  title: string;
  /** What one can do. */
  actions?: ReactNode;
  description?: ReactNode;
  counter?: string;
  children: ReactNode;
}

/** A page: its title, also that of the tab, what one can do, and what it shows. */
export function Titled({ title, actions, description, counter, children }: TitledProps) {
  const titled = useRef<HTMLSpanElement>(null);
  const whole = useRef<HTMLDivElement>(null);
  useArrival(titled, whole);
  useEffect(() => {
    document.title = `${title} · Slipway`;
  }, [title]);
  return (
    <>
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
