import type { Build } from "@aws-sdk/client-codebuild";

/** An artifact that a build's record has. */
export interface Artifact {
  /** Empty for the primary one. */
  readonly identifier: string;
  readonly name: string;
  readonly location: string;
  readonly sha256: string | undefined;
  readonly md5: string | undefined;
}

/** The artifacts that a build has a place for, the primary one first. */
export function artifactsOf(build: Build): readonly Artifact[] {
  return [build.artifacts, ...(build.secondaryArtifacts ?? [])].flatMap((a) => {
    if (a === undefined || (a.location ?? "") === "") return [];
    const identifier = a.artifactIdentifier ?? "";
    return [{ identifier, name: identifier === "" ? "Primary artifact" : identifier, location: a.location ?? "", sha256: a.sha256sum, md5: a.md5sum }];
  });
}

/** The folders above and including one, each with its path: of a/b those are a and a/b. */
export function foldersTo(folder: string): readonly { readonly name: string; readonly path: string }[] {
  const parts = folder.split("/").filter((p) => p !== "");
  return parts.map((name, i) => ({ name, path: parts.slice(0, i + 1).join("/") }));
}
