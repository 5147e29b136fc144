import { expect, test } from "vitest";
import { assign, fieldOf, ofElement } from "./findings";

test.each([
  ["name", "name"],
  ["source.location", "source.location"],
  ["source.auth.resource", "source.auth"],
  ["source.sourceIdentifier", "source"],
  ["environment.environmentVariables[2].name", "environment.environmentVariables"],
  ["tags[0].key", "tags"],
  ["logsConfig.s3Logs.location", "logsConfig.s3Logs"],
  ["artifacts", "artifacts"],
  ["vpcConfig.subnets", undefined],
  ["secondarySources[0].location", undefined],
  ["", undefined],
  [undefined, undefined],
])("what is found of %s stands at %s", (member, field) => expect(fieldOf(member)).toBe(field));

test("errors and warnings of a field are told apart, and the rest is kept", () => {
  const name = { level: "ERROR" as const, member: "name", message: "Project already exists" };
  const role = { level: "WARNING" as const, member: "serviceRole", message: "Nobody assumes it" };
  const vpc = { level: "ERROR" as const, member: "vpcConfig", message: "Incomplete" };
  const { byField, others } = assign([name, role, vpc]);
  expect(byField.get("name")).toEqual({ errors: [name], warnings: [] });
  expect(byField.get("serviceRole")).toEqual({ errors: [], warnings: [role] });
  expect(others).toEqual([vpc]);
});

test("an element of a list has its own", () => {
  const finding = { level: "ERROR" as const, member: "environment.environmentVariables[1].name", message: "Duplicate" };
  expect(ofElement([finding], "environment.environmentVariables", 1, "name")).toBe("Duplicate");
  expect(ofElement([finding], "environment.environmentVariables", 1, "value")).toBeUndefined();
  expect(ofElement([finding], "environment.environmentVariables", 0, "name")).toBeUndefined();
});
