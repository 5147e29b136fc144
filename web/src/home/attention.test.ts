import { describe, expect, test } from "vitest";
import type { CredentialSummary } from "../api/slipway.gen";
import { attention, ofCredential, ofQueue, ofWebhook } from "./attention";

const good: CredentialSummary = { arn: "arn:aws:codebuild:us-east-1:000000000000:token/github", serverType: "GITHUB", authType: "PERSONAL_ACCESS_TOKEN", health: { state: "VALID", tokenKind: "GITHUB_CLASSIC" } };

describe("a credential", () => {
  test("that works needs nothing", () => expect(ofCredential(good)).toBeUndefined());
  test.each([
    [13, "warning", "in 13 days"],
    [2, "error", "in 2 days"],
    [1, "error", "tomorrow"],
    [0, "error", "today"],
  ])("that expires in %d days is an %s", (daysLeft, level, words) => {
    const a = ofCredential({ ...good, daysLeft, expires: 1 });
    expect(a?.level).toBe(level);
    expect(a?.text).toContain(words);
  });
  test("without an expiry has all the time", () => expect(ofCredential({ ...good, daysLeft: 0 })).toBeUndefined());
  test("that lacks scopes names them once", () => {
    const a = ofCredential({ ...good, name: "ours", health: { state: "LIMITED", tokenKind: "GITHUB_CLASSIC", jobs: [{ job: "WEBHOOK", ability: "NO", missing: ["admin:repo_hook"] }, { job: "COMMIT_STATUS", ability: "NO", missing: ["admin:repo_hook"] }] } });
    expect(a?.text).toBe("ours: the token cannot do everything: it lacks admin:repo_hook.");
  });
});

describe("a webhook", () => {
  test("that is heard needs nothing", () => expect(ofWebhook({ projectName: "app", serverType: "GITHUB", state: "ACTIVE" })).toBeUndefined());
  test("that is gone is an error", () => expect(ofWebhook({ projectName: "app", serverType: "GITHUB", state: "MISSING" })?.level).toBe("error"));
});

test("a queue is worth a word once someone has waited a minute", () => {
  expect(ofQueue({ queued: 3, oldestQueued: 1000 }, 1030_000)).toBeUndefined();
  expect(ofQueue({ queued: 3, oldestQueued: 1000 }, 1125_000)?.text).toBe("3 builds wait in the queue, the oldest for 2 min 05 s.");
});

test("the worst comes first", () => {
  const all = attention([{ ...good, daysLeft: 10, expires: 1 }, { ...good, health: { state: "INVALID", tokenKind: "UNKNOWN" } }], [], {});
  expect(all.map((a) => a.level)).toEqual(["error", "warning"]);
});
