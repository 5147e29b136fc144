import type { Build, ComputeType, EnvironmentType, EnvironmentVariableType, Project, ProjectArtifacts, SourceType, StartBuildCommandInput } from "@aws-sdk/client-codebuild";

/** One variable of the form. */
export interface Variable {
  readonly name: string;
  readonly value: string;
  readonly type: EnvironmentVariableType;
  /** Whether the project has it: then a build can change it, but not be without it. */
  readonly ofProject: boolean;
}

/** What can be chosen for one build. Numbers are as typed. */
export interface StartForm {
  readonly sourceVersion: string;
  readonly sourceType: SourceType | "";
  readonly sourceLocation: string;
  readonly gitCloneDepth: string;
  readonly reportBuildStatus: boolean;
  readonly variables: readonly Variable[];
  readonly buildspec: string;
  readonly timeout: string;
  readonly queuedTimeout: string;
  readonly environmentType: EnvironmentType | "";
  readonly computeType: ComputeType | "";
  readonly image: string;
  readonly privileged: boolean;
  readonly artifactsType: "NO_ARTIFACTS" | "S3" | "CODEPIPELINE" | "";
  readonly artifactsLocation: string;
  readonly artifactsPath: string;
  readonly artifactsName: string;
}

/** The form as the project has it: nothing changed. */
export function formOfProject(project: Project): StartForm {
  const { source, environment, artifacts } = project;
  return {
    sourceVersion: project.sourceVersion ?? "",
    sourceType: source?.type ?? "",
    sourceLocation: source?.location ?? "",
    gitCloneDepth: String(source?.gitCloneDepth ?? 0),
    reportBuildStatus: source?.reportBuildStatus ?? false,
    variables: (environment?.environmentVariables ?? []).map((v) => variable(v, true)),
    buildspec: source?.buildspec ?? "",
    timeout: text(project.timeoutInMinutes),
    queuedTimeout: text(project.queuedTimeoutInMinutes),
    environmentType: environment?.type ?? "",
    computeType: environment?.computeType ?? "",
    image: environment?.image ?? "",
    privileged: environment?.privilegedMode ?? false,
    artifactsType: artifacts?.type ?? "",
    artifactsLocation: artifacts?.location ?? "",
    artifactsPath: artifacts?.path ?? "",
    artifactsName: artifacts?.name ?? "",
  };
}

/** The form as an earlier build of the project was. Its record does not tell which artifacts were asked for. */
export function formOfBuild(project: Project, build: Build): StartForm {
  const base = formOfProject(project);
  const { source, environment } = build;
  const given = environment?.environmentVariables ?? [];
  const known = new Set(base.variables.map((v) => v.name));
  return {
    ...base,
    sourceVersion: build.sourceVersion ?? base.sourceVersion,
    sourceType: source?.type ?? base.sourceType,
    sourceLocation: source?.location ?? base.sourceLocation,
    gitCloneDepth: source?.gitCloneDepth === undefined ? base.gitCloneDepth : String(source.gitCloneDepth),
    reportBuildStatus: source?.reportBuildStatus ?? base.reportBuildStatus,
    variables: [
      ...base.variables.map((v) => {
        const same = given.find((g) => g.name === v.name);
        return same === undefined ? v : variable(same, true);
      }),
      ...given.filter((g) => !known.has(g.name ?? "")).map((g) => variable(g, false)),
    ],
    buildspec: source?.buildspec ?? base.buildspec,
    timeout: build.timeoutInMinutes === undefined ? base.timeout : text(build.timeoutInMinutes),
    queuedTimeout: build.queuedTimeoutInMinutes === undefined ? base.queuedTimeout : text(build.queuedTimeoutInMinutes),
    environmentType: environment?.type ?? base.environmentType,
    computeType: environment?.computeType ?? base.computeType,
    image: environment?.image ?? base.image,
    privileged: environment?.privilegedMode ?? base.privileged,
  };
}

function text(n: number | undefined): string {
  return n === undefined ? "" : String(n);
}

function variable(v: { name?: string | undefined; value?: string | undefined; type?: EnvironmentVariableType | undefined }, ofProject: boolean): Variable {
  return { name: v.name ?? "", value: v.value ?? "", type: v.type ?? "PLAINTEXT", ofProject };
}

/** The request: the project, and what differs from how the project has it. */
export function startInput(projectName: string, base: StartForm, form: StartForm): StartBuildCommandInput {
  const is = (k: keyof StartForm) => form[k] !== base[k];
  const variables = changedVariables(base.variables, form.variables);
  const artifacts = is("artifactsType") || is("artifactsLocation") || is("artifactsPath") || is("artifactsName");
  const version = form.sourceVersion.trim();
  return {
    projectName,
    ...(version !== base.sourceVersion && version !== "" ? { sourceVersion: version } : {}),
    ...(is("sourceType") && form.sourceType !== "" ? { sourceTypeOverride: form.sourceType } : {}),
    ...(is("sourceLocation") ? { sourceLocationOverride: form.sourceLocation.trim() } : {}),
    ...(is("gitCloneDepth") ? { gitCloneDepthOverride: Number(form.gitCloneDepth) } : {}),
    ...(is("reportBuildStatus") ? { reportBuildStatusOverride: form.reportBuildStatus } : {}),
    ...(variables.length > 0 ? { environmentVariablesOverride: variables } : {}),
    ...(is("buildspec") ? { buildspecOverride: form.buildspec } : {}),
    ...(is("timeout") && form.timeout !== "" ? { timeoutInMinutesOverride: Number(form.timeout) } : {}),
    ...(is("queuedTimeout") && form.queuedTimeout !== "" ? { queuedTimeoutInMinutesOverride: Number(form.queuedTimeout) } : {}),
    ...(is("environmentType") && form.environmentType !== "" ? { environmentTypeOverride: form.environmentType } : {}),
    ...(is("computeType") && form.computeType !== "" ? { computeTypeOverride: form.computeType } : {}),
    ...(is("image") && form.image.trim() !== "" ? { imageOverride: form.image.trim() } : {}),
    ...(is("privileged") ? { privilegedModeOverride: form.privileged } : {}),
    ...(artifacts && form.artifactsType !== "" ? { artifactsOverride: artifactsOf(form, form.artifactsType) } : {}),
  };
}

function changedVariables(base: readonly Variable[], now: readonly Variable[]) {
  return now
    .filter((v) => v.name !== "" && !base.some((b) => b.name === v.name && b.value === v.value && b.type === v.type))
    .map(({ name, value, type }) => ({ name, value, type }));
}

function artifactsOf(form: StartForm, type: Exclude<StartForm["artifactsType"], "">): ProjectArtifacts {
  if (type !== "S3") return { type };
  return {
    type,
    location: form.artifactsLocation.trim(),
    ...(form.artifactsPath === "" ? {} : { path: form.artifactsPath }),
    ...(form.artifactsName === "" ? {} : { name: form.artifactsName }),
  };
}

/** What of the form the server would refuse, by field; of variables by their place. */
export interface FormProblems {
  readonly timeout?: string;
  readonly queuedTimeout?: string;
  readonly variables: readonly (string | undefined)[];
}

/** Checks the form. */
export function problemsOf(form: StartForm): FormProblems {
  const timeout = minutesProblem(form.timeout, 5, 2160);
  const queuedTimeout = minutesProblem(form.queuedTimeout, 5, 480);
  return {
    ...(timeout === undefined ? {} : { timeout }),
    ...(queuedTimeout === undefined ? {} : { queuedTimeout }),
    variables: form.variables.map((v, i) => {
      if (v.name === "") return v.value === "" ? undefined : "Give the variable a name.";
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(v.name)) return "Use letters, digits and underscores, beginning with a letter.";
      return form.variables.findIndex((o) => o.name === v.name) === i ? undefined : "There is a variable of this name above.";
    }),
  };
}

/** Whether nothing is wrong. */
export function sound(problems: FormProblems): boolean {
  return problems.timeout === undefined && problems.queuedTimeout === undefined && problems.variables.every((v) => v === undefined);
}

function minutesProblem(typed: string, from: number, to: number): string | undefined {
  if (typed === "") return undefined;
  const n = Number(typed);
  return Number.isInteger(n) && n >= from && n <= to ? undefined : `Enter whole minutes from ${from} to ${to}.`;
}
