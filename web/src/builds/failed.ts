import type { Build } from "@aws-sdk/client-codebuild";
import type { FailedCommand } from "../api/slipway.gen";

/** What an exit status says of itself, and what to look at; undefined if only the command knows. */
export function exitHint(status: number): string | undefined {
  switch (status) {
    case 124:
      return "The timeout command gives this status when time ran out.";
    case 126:
      return "The shell found the command but could not run it: look whether the file is executable.";
    case 127:
      return "The shell found no such command: look whether the image or an earlier command installs it, and at PATH.";
    case 137:
      return "The command was killed, most often because the machine or container ran out of memory.";
    case 139:
      return "The command crashed: it used memory that is not its own.";
    case 143:
      return "The command was asked to end by another process, or by the stop of the build.";
    default:
      return status > 128 && status < 165 ? `The command was ended by signal ${status - 128}.` : undefined;
  }
}

/** Where the command is written, in words. */
export function commandPlace(command: FailedCommand): string | undefined {
  const file = command.file ?? "";
  const line = command.line ?? 0;
  if (line === 0) return file === "" ? undefined : file;
  return file === "" ? `line ${line} of the buildspec` : `${file}, line ${line}`;
}

/** Where that line is to be seen at the source's provider; undefined if that is not known. */
export function commandLink(build: Pick<Build, "source" | "resolvedSourceVersion">, command: FailedCommand): string | undefined {
  const { type, location } = build.source ?? {};
  const commit = build.resolvedSourceVersion;
  const { file = "", line = 0 } = command;
  if (file === "" || location === undefined || commit === undefined) return undefined;
  if (!/^[0-9a-f]{40,64}$/.test(commit) || !/^https?:\/\/[^/@]+\//.test(location)) return undefined;
  const repository = location.replace(/\/$/, "").replace(/\.git$/, "");
  const path = file.split("/").map(encodeURIComponent).join("/");
  switch (type) {
    case "GITHUB":
    case "GITHUB_ENTERPRISE":
      return `${repository}/blob/${commit}/${path}` + (line > 0 ? `#L${line}` : "");
    case "GITLAB":
    case "GITLAB_SELF_MANAGED":
      return `${repository}/-/blob/${commit}/${path}` + (line > 0 ? `#L${line}` : "");
    case "BITBUCKET":
      return `${repository}/src/${commit}/${path}` + (line > 0 ? `#lines-${line}` : "");
    default:
      return undefined;
  }
}

/** A line of the log without the agent's stamp before it. */
export function withoutStamp(line: string): string {
  return line.replace(/^\[Container\] \d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d(\.\d+)? /, "").trim();
}
