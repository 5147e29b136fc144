import { describe, expect, test } from "vitest";
import type { CredentialHealth, CredentialState, JobAbility } from "../api/slipway.gen";
import { expiryLevel, expiryWords } from "./expiry";
import { handle, matchWords, ownerWords, scopeWords, stateSentence, stateWords, stepTold, title, whyNot } from "./words";

const health = (state: CredentialState, rest: Partial<CredentialHealth> = {}): CredentialHealth => ({ state, tokenKind: "GITHUB_CLASSIC", ...rest });
const job = (ability: JobAbility["ability"]): JobAbility => ({ job: "CLONE", ability });

describe("the state of a credential", () => {
  test.each<[CredentialHealth | undefined, string, string]>([
    [undefined, "pending", "Not checked"],
    [health("VALID"), "success", "Works"],
    [health("LIMITED", { jobs: [job("NO"), job("UNKNOWN")] }), "warning", "Works for some things"],
    [health("LIMITED", { jobs: [job("NO")] }), "error", "Can do nothing"],
    [health("INVALID"), "error", "Does not work"],
    [health("EXPIRED"), "error", "Expired"],
    [health("UNREACHABLE"), "warning", "Provider not reached"],
  ])("%o", (h, type, text) => expect(stateWords(h)).toEqual({ type, text }));

  test("is said as on the command line", () => {
    expect(stateSentence(health("LIMITED"))).toBe("it works, but not for everything");
    expect(stateSentence(health("LIMITED", { jobs: [job("NO")], repository: "octo/recipes" }))).toBe("the provider knows it, but it can do nothing at octo/recipes");
  });
});

test.each<[Partial<JobAbility>, string]>([
  [{}, ""],
  [{ message: "Said." }, "Said."],
  [{ missing: ["repo"] }, "The scope repo is missing."],
  [{ missing: ["a", "b"] }, "The scopes a, b are missing."],
])("why not of %o", (rest, want) => expect(whyNot({ ...job("NO"), ...rest })).toBe(want));

test("a step is told once", () => {
  const missing = health("LIMITED", { cause: "MISSING_SCOPE", nextStep: "Make one with both." });
  expect(stepTold({ ...job("NO"), cause: "MISSING_SCOPE", nextStep: "Make one with this." }, missing)).toBe(true);
  expect(stepTold({ ...job("NO"), cause: "NOT_ADMIN", nextStep: "Ask an administrator." }, missing)).toBe(false);
  expect(stepTold({ ...job("NO"), nextStep: "Make a new one." }, health("INVALID"))).toBe(true);
});

test("facts", () => {
  expect(ownerWords(undefined)).toBe("–");
  expect(ownerWords(health("VALID", { owner: "octo", ownerIsBot: true }))).toBe("octo (a bot)");
  expect(scopeWords(health("VALID"))).toBeUndefined();
  expect(scopeWords(health("VALID", { scopesKnown: true }))).toBe("none");
  expect(matchWords({ owner: "acme" })).toBe("*/acme/*");
  expect(handle({ serverType: "GITHUB_ENTERPRISE" })).toBe("github_enterprise");
  expect(title({ serverType: "GITHUB" })).toBe("Default for GitHub");
  expect(title({ serverType: "GITHUB", name: "acme" })).toBe("acme");
});

describe("expiry", () => {
  const now = Date.UTC(2026, 10, 27);
  const day = 86_400;
  test.each([
    [undefined, "never", undefined, "Not known"],
    [200.5, "far", undefined, "In 200 days"],
    [14, "far", undefined, "In 14 days"],
    [13.9, "soon", "warning", "In 13 days"],
    [1.5, "soon", "warning", "In 1 day"],
    [0.5, "soon", "warning", "Within a day"],
    [0, "over", "error", "Expired now"],
    [-3, "over", "error", "Expired 3 days ago"],
  ])("in %s days", (days, level, type, text) => {
    const at = days === undefined ? undefined : now / 1000 + days * day;
    expect(expiryLevel(at, now)).toBe(level);
    expect(expiryWords(at, now)).toEqual({ type, text });
  });
});
