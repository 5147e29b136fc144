import { expect, test } from "vitest";
import { artifactsOf, foldersTo } from "./artifact";

test("the artifacts of a build are those that have a place", () => {
  expect(artifactsOf({})).toEqual([]);
  expect(artifactsOf({ artifacts: { location: "" }, secondaryArtifacts: [{ artifactIdentifier: "site", location: "arn:aws:s3:::b/site" }] }).map((a) => a.name)).toEqual(["site"]);
  expect(artifactsOf({ artifacts: { location: "arn:aws:s3:::b/a", sha256sum: "ab" } })).toMatchObject([{ identifier: "", name: "Primary artifact", sha256: "ab" }]);
});

test("the folders to a folder", () => {
  expect(foldersTo("")).toEqual([]);
  expect(foldersTo("a/b/")).toEqual([
    { name: "a", path: "a" },
    { name: "b", path: "a/b" },
  ]);
});
