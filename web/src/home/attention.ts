import { paths } from "../app/navigate";
import type { CredentialSummary, GetBuildStatisticsOutput, WebhookSummary } from "../api/slipway.gen";
import { title } from "../credentials/words";
import { duration } from "../parts/time";

/** Something that someone should do something about. */
export interface Attention {
  readonly level: "error" | "warning" | "info";
  readonly text: string;
  /** What to do. */
  readonly fix?: string;
  /** The page to do it on. */
  readonly to: string;
}

/** Days before its end from which a token asks to be renewed. */
export const soon = 14;

/** What of a credential needs attention, if anything does. */
export function ofCredential(c: CredentialSummary): Attention | undefined {
  const name = title(c);
  const to = paths.sourceProvider(c.arn);
  const fix = c.health?.nextStep;
  switch (c.health?.state) {
    case "INVALID":
      return { level: "error", text: `${name}: the token is refused. ${c.health.message ?? ""}`.trim(), fix, to };
    case "EXPIRED":
      return { level: "error", text: `${name}: the token has expired.`, fix, to };
    case "UNREACHABLE":
      return { level: "warning", text: `${name}: the provider could not be asked. ${c.health.message ?? ""}`.trim(), fix, to };
    default:
  }
  if (c.expires !== undefined && c.daysLeft !== undefined && c.daysLeft < soon) {
    const left = c.daysLeft <= 0 ? "today" : c.daysLeft === 1 ? "tomorrow" : `in ${c.daysLeft} days`;
    return { level: c.daysLeft < 3 ? "error" : "warning", text: `${name}: the token expires ${left}.`, fix: "Make a new one and replace it before then.", to };
  }
  if (c.health?.state === "LIMITED") {
    const cannot = (c.health.jobs ?? []).filter((j) => j.ability === "NO");
    const missing = [...new Set(cannot.flatMap((j) => j.missing ?? []))];
    return {
      level: "info",
      text: `${name}: the token cannot do everything${missing.length > 0 ? `: it lacks ${missing.join(", ")}` : ""}.`,
      fix,
      to,
    };
  }
  return undefined;
}

/** What of a webhook needs attention, if anything does. */
export function ofWebhook(w: WebhookSummary): Attention | undefined {
  const to = `${paths.project(w.projectName)}?tab=webhook`;
  if (w.state === "MISSING") return { level: "error", text: `${w.projectName}: the webhook is gone at the provider.`, fix: w.message, to };
  if (w.state === "DISABLED") return { level: "error", text: `${w.projectName}: the provider has switched the webhook off.`, fix: w.message, to };
  if (w.lastDelivery?.state === "REFUSED") {
    return { level: "warning", text: `${w.projectName}: the last delivery was refused.`, fix: w.lastDelivery.note, to: paths.delivery(w.lastDelivery.id) };
  }
  const warning = w.warnings?.[0];
  if (warning !== undefined) return { level: "warning", text: `${w.projectName}: ${warning}`, to };
  return undefined;
}

/** Seconds from which a build has waited long. */
const patience = 60;

/** What of the queue needs attention, if anything does. */
export function ofQueue(s: GetBuildStatisticsOutput, now = Date.now()): Attention | undefined {
  if (s.oldestQueued === undefined || s.queued === undefined || s.queued === 0) return undefined;
  const waited = now / 1000 - s.oldestQueued;
  if (waited < patience) return undefined;
  const many = s.queued === 1 ? "1 build waits" : `${s.queued} builds wait`;
  return { level: "warning", text: `${many} in the queue, the oldest for ${duration(waited)}.`, fix: "Builds start as others end; --max-builds lets more run at a time.", to: paths.builds() };
}

const order = { error: 0, warning: 1, info: 2 } as const;

/** Everything that needs attention, the worst first. */
export function attention(credentials: readonly CredentialSummary[], webhooks: readonly WebhookSummary[], statistics: GetBuildStatisticsOutput, now = Date.now()): Attention[] {
  return [...credentials.map(ofCredential), ...webhooks.map(ofWebhook), ofQueue(statistics, now)]
    .filter((a) => a !== undefined)
    .sort((a, b) => order[a.level] - order[b.level]);
}
