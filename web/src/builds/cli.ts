import type { StartBuildCommandInput } from "@aws-sdk/client-codebuild";

/** The request as a command of the AWS CLI, to be pasted into a shell. */
export function startCommand(input: StartBuildCommandInput, endpoint: string, region: string): string {
  const words = ["aws codebuild start-build", option("endpoint-url", endpoint), option("region", region)];
  for (const [member, value] of Object.entries(input) as [string, unknown][]) {
    if (value === undefined) continue;
    const name = member.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
    if (typeof value === "boolean") words.push(value ? `--${name}` : `--no-${name}`);
    else words.push(option(name, typeof value === "string" ? value : JSON.stringify(value)));
  }
  return words.join(" \\\n  ");
}

/** A value that begins with a dash would be taken for an option of its own. */
function option(name: string, value: string): string {
  return `--${name}${value.startsWith("-") ? "=" : " "}${quote(value)}`;
}

/** A word as the shell must read it. */
export function quote(word: string): string {
  return /^[A-Za-z0-9_/:.,@%+-][A-Za-z0-9_/:.,@%+=-]*$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
