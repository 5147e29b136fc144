import Alert, { type AlertProps } from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Link from "@cloudscape-design/components/link";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { ProjectFinding } from "../../api/slipway.gen";
import { fieldOf, idOf, labelOf } from "../findings";
import type { Unsaved } from "../useUnsaved";
import type { Ref } from "react";

/** What keeps a project from being saved, with the way to each field. */
export function Refusals({ findings, ref }: { findings: readonly ProjectFinding[]; ref: Ref<AlertProps.Ref> }) {
  if (findings.length === 0) return null;
  return (
    <Alert ref={ref} type="error" header={findings.length === 1 ? "One setting keeps the project from being saved" : `${findings.length} settings keep the project from being saved`}>
      <ul style={{ margin: 0, paddingInlineStart: 20 }}>
        {findings.map((f, i) => {
          const field = fieldOf(f.member);
          return (
            <li key={i}>
              {field === undefined ? (
                (f.member ?? "")
              ) : (
                <Link
                  href={`#${idOf(field)}`}
                  onFollow={(e) => {
                    e.preventDefault();
                    goToField(field);
                  }}
                >
                  {labelOf(field)}
                </Link>
              )}
              {f.member === undefined || f.member === "" ? "" : ": "}
              {f.message}
            </li>
          );
        })}
      </ul>
    </Alert>
  );
}

/** Puts the focus into the field of a member. */
function goToField(member: string): void {
  const field = document.getElementById(idOf(member));
  const control = field?.querySelector<HTMLElement>("input, textarea, button");
  field?.scrollIntoView({ block: "center" });
  (control ?? field)?.focus({ preventScroll: true });
}

/** Asks whether what was typed may be lost. */
export function LeaveModal({ unsaved }: { unsaved: Unsaved }) {
  return (
    <Modal
      visible={unsaved.asking}
      header="Leave this page?"
      closeAriaLabel="Close"
      onDismiss={unsaved.stay}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={unsaved.stay}>
              Stay
            </Button>
            <Button variant="primary" onClick={unsaved.leave}>
              Leave
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      What you changed is not saved and will be lost.
    </Modal>
  );
}
