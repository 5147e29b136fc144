import { expect, test } from "vitest";
import { kindWords } from "./words";

test("kinds are named as AWS does", () => {
  expect(kindWords({ kind: "SECRET" })).toBe("Secret");
  expect(kindWords({ kind: "PARAMETER", type: "SecureString" })).toBe("Parameter, SecureString");
  expect(kindWords({ kind: "PARAMETER" })).toBe("Parameter");
});

