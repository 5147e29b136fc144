import type { StartBuildCommandInput } from "@aws-sdk/client-codebuild";

/** The request as a command of the AWS CLI, to be pasted into a shell. */
export function startCommand(input: StartBuildCommandInput, endpoint: string, region: string): string {
  const words = ["aws codebuild start-build", option("endpoint-url", endpoint), option("region", region)];
  const asJSON: Record<string, string> = {};
  for (const [member, value] of Object.entries(input) as [string, unknown][]) {
    if (value === undefined) continue;
    if (typeof value === "string" && readByCLI.test(value)) {
      asJSON[member] = value;
      continue;
    }
    const name = member.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
    if (typeof value === "boolean") words.push(value ? `--${name}` : `--no-${name}`);
    else words.push(option(name, typeof value === "string" ? value : JSON.stringify(value)));
  }
  if (Object.keys(asJSON).length > 0) words.push(option("cli-input-json", JSON.stringify(asJSON)));
  return words.join(" \\\n  ");
}

/** Options for which the AWS CLI sends what is in a file, or some of its versions what is at an address. Within JSON they are text. */
const readByCLI = /^(fileb?|https?):\/\//;

/** A value that begins with a dash would be taken for an option of its own. */
function option(name: string, value: string): string {
  return `--${name}${value.startsWith("-") ? "=" : " "}${quote(value)}`;
}

/** A word as the shell must read it. */
export function quote(word: string): string {
  return /^[A-Za-z0-9_/:.,@%+-][A-Za-z0-9_/:.,@%+=-]*$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
