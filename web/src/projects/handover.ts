import type { ProjectForm } from "./form";

/** What the form that made a project hands to the one that changes it: what was typed, and why the webhook failed. */
export interface Handover {
  readonly form: ProjectForm;
  readonly error: unknown;
}

// In memory, for the very next page: the form may hold values of variables.
let kept: { readonly name: string; readonly what: Handover } | undefined;

/** Keeps it for the page that edits the project. */
export function handOver(name: string, what: Handover): void {
  kept = { name, what };
}

/** What was handed over for a project, if anything was. */
export function handedOver(name: string): Handover | undefined {
  return kept?.name === name ? kept.what : undefined;
}

/** Forgets it. */
export function forget(): void {
  kept = undefined;
}
