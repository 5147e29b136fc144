import { describe, expect, test } from "vitest";
import type { CredentialSummary, ServerType } from "../api/slipway.gen";
import { draftOf, faultsOf, hostsOf, hostSoFar, requestOf, type Draft } from "./draft";

const form = (serverType: ServerType, change: Partial<Draft> = {}): Draft => ({ ...draftOf(serverType), ...change });
const now = Date.UTC(2026, 10, 27);

describe("requestOf", () => {
  test.each<[ServerType, Partial<Draft>, object]>([
    ["GITHUB", {}, { authType: "PERSONAL_ACCESS_TOKEN" }],
    ["GITHUB", { username: "left out", host: "ghe.example.com", caBundle: "left out", matchHost: "left.out" }, { authType: "PERSONAL_ACCESS_TOKEN" }],
    ["BITBUCKET", { username: " me@example.com " }, { authType: "BASIC_AUTH", username: "me@example.com" }],
    ["BITBUCKET", { method: "access", username: "left out" }, { authType: "PERSONAL_ACCESS_TOKEN" }],
    [
      "GITHUB_ENTERPRISE",
      { host: "https://GHE.example.com/", caBundle: "-----BEGIN CERTIFICATE-----" },
      { authType: "PERSONAL_ACCESS_TOKEN", hosts: ["ghe.example.com"], caBundle: "-----BEGIN CERTIFICATE-----\n" },
    ],
    ["GITLAB", { username: "gitlab+deploy-token-1" }, { authType: "PERSONAL_ACCESS_TOKEN", username: "gitlab+deploy-token-1" }],
    [
      "GITLAB_SELF_MANAGED",
      { host: "git.example.com:8443/gitlab", name: "acme", matchHost: "*.example.com", matchOwner: "acme", expires: "2027-05-31" },
      {
        authType: "PERSONAL_ACCESS_TOKEN",
        hosts: ["git.example.com:8443/gitlab"],
        name: "acme",
        match: { host: "*.example.com", owner: "acme" },
        expires: Date.UTC(2027, 4, 31) / 1000,
      },
    ],
  ])("%s with %o", (serverType, change, want) => expect(requestOf(serverType, form(serverType, change), " token\n")).toEqual({ serverType, token: "token", ...want }));
});

describe("faultsOf", () => {
  test.each<[ServerType, Partial<Draft>, string, string[]]>([
    ["GITHUB", {}, "ghp_x", []],
    ["GITHUB", {}, "  ", ["token"]],
    ["GITHUB", {}, "two words", ["token"]],
    ["GITHUB", {}, "glpat-x", ["token"]],
    ["GITLAB", {}, "glpat-x", []],
    ["GITLAB", {}, "gldt-x", ["username"]],
    ["BITBUCKET", {}, "x", ["username"]],
    ["BITBUCKET", { username: "me" }, "ATATTx", ["username"]],
    ["BITBUCKET", { username: "me@example.com" }, "ATATTx", []],
    ["BITBUCKET", { username: "me" }, "ATCTTx", ["token"]],
    ["BITBUCKET", { method: "access" }, "ATCTTx", []],
    ["BITBUCKET", { method: "access" }, "ATATTx", ["token"]],
    ["GITHUB_ENTERPRISE", {}, "ghp_x", ["host"]],
    ["GITHUB_ENTERPRISE", { host: "ghe example?" }, "ghp_x", ["host"]],
    ["GITHUB_ENTERPRISE", { host: "ghe.example", caBundle: "-----BEGIN PRIVATE KEY-----" }, "ghp_x", ["caBundle"]],
    ["GITHUB_ENTERPRISE", { host: "ghe.example", caBundle: "der" }, "ghp_x", ["caBundle"]],
    ["GITHUB", { matchOwner: "acme" }, "ghp_x", ["name"]],
    ["GITHUB", { name: "acme deploy" }, "ghp_x", ["name"]],
    ["GITHUB", { name: "acme", expires: "2026-11-01" }, "ghp_x", ["expires"]],
    ["GITHUB", { name: "acme", expires: "2027-1" }, "ghp_x", ["expires"]],
  ])("%s with %o and token %s", (serverType, change, token, want) => expect(Object.keys(faultsOf(serverType, form(serverType, change), token, false, now))).toEqual(want));

  test("no fault repeats the token", () => {
    for (const token of ["glpat-secret", "secret words", "ATCTTsecret"]) {
      expect(JSON.stringify(faultsOf("BITBUCKET", form("BITBUCKET"), token))).not.toContain("secret");
    }
  });

  test("what replaces another keeps its hosts", () => expect(faultsOf("GITHUB_ENTERPRISE", form("GITHUB_ENTERPRISE"), "ghp_x", true)).toEqual({}));
});

test("another token is for the same as the one before", () => {
  const before: CredentialSummary = {
    arn: "arn",
    name: "acme",
    serverType: "BITBUCKET",
    authType: "PERSONAL_ACCESS_TOKEN",
    match: { owner: "acme" },
    expires: 1,
  };
  const draft = draftOf("BITBUCKET", before);
  expect(requestOf("BITBUCKET", draft, "ATCTTx")).toEqual({ serverType: "BITBUCKET", authType: "PERSONAL_ACCESS_TOKEN", token: "ATCTTx", name: "acme", match: { owner: "acme" } });
});

test("hosts are listed with commas and as addresses", () => expect(hostsOf("A.example, https://b.example/Git/")).toEqual(["a.example", "b.example/Git"]));

describe("hostSoFar", () => {
  test.each([
    ["ghe.example.com", "ghe.example.com"],
    ["https://ghe.example.com/", "ghe.example.com"],
    ["127.0.0.1:8443", "127.0.0.1:8443"],
    ["ghe", undefined],
    ["", undefined],
    ["ghp_AbC.dEf", undefined],
    ["glpat-abc.def", undefined],
  ])("of %s", (text, want) => expect(hostSoFar(text)).toBe(want));
});
