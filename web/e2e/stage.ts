import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { join } from "node:path";

/** A provider on the stage. */
export interface Forge {
  readonly url: string;
  readonly owner: string;
  /** Of its repository recipes, as a project says it. */
  readonly location: string;
  /** One that may do everything there. */
  readonly token: string;
  readonly username?: string;
}

export type ServerType = "GITHUB" | "GITHUB_ENTERPRISE" | "BITBUCKET" | "GITLAB" | "GITLAB_SELF_MANAGED";

/** The real server, its providers and the door to both: see web/stage. */
export interface Stage {
  readonly url: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly bigBuild: string;
  readonly forges: Readonly<Record<ServerType, Forge>>;
  /** A new one-time link into the console. */
  link(): Promise<string>;
  /** Moves something on the stage; see web/stage/control.go for what there is. */
  do(command: string, body?: object): Promise<unknown>;
  /** Calls an operation as the owner. */
  call(operation: string, input: object): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

const repository = join(import.meta.dirname, "../..");

/** Starts bin/stage with flags such as -seed. */
export async function startStage(...flags: string[]): Promise<Stage> {
  const child = spawn(join(repository, "bin/stage"), ["-slipway", join(repository, "bin/slipway"), ...flags], { stdio: ["pipe", "pipe", "inherit"] });
  const about = JSON.parse(await firstLine(child)) as Omit<Stage, "link" | "do" | "call" | "close"> & { control: string };
  const command = async (what: string, body: object = {}): Promise<unknown> => {
    const answer = await fetch(`${about.control}/${what}`, { method: "POST", body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${what}: ${await answer.text()}`);
    return await answer.json();
  };
  return {
    ...about,
    link: async () => ((await command("link")) as { url: string }).url,
    do: command,
    call: async (operation, input) => (await command("call", { operation, input })) as Record<string, unknown>,
    close: async () => {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.stdin.end();
      await ended;
    },
  };
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    if (child.stdout === null) throw new Error("the stage prints nowhere");
    createInterface({ input: child.stdout }).once("line", resolve);
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the stage ended with status ${String(code)}: run make build e2e/stage first`)));
  });
}
