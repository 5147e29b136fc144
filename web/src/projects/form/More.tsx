import ExpandableSection from "@cloudscape-design/components/expandable-section";
import { useState, type ReactNode } from "react";
import { useProjectForm } from "./context";

/** Settings that few need. They are shown if one of them is wrong. */
export function More({
  members,
  title = "Additional configuration",
  description,
  variant = "default",
  initially = false,
  children,
}: {
  members: readonly string[];
  title?: string;
  description: string;
  variant?: "default" | "container";
  initially?: boolean;
  children: ReactNode;
}) {
  const { errorOf, was } = useProjectForm();
  const [open, setOpen] = useState(initially || (was !== undefined && variant === "default"));
  const wrong = members.some((m) => errorOf(m) !== undefined);
  return (
    <ExpandableSection variant={variant} headerText={title} headerDescription={description} expanded={open || wrong} onChange={({ detail }) => setOpen(detail.expanded)}>
      {children}
    </ExpandableSection>
  );
}
