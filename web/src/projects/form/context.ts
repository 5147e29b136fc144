import { createContext, useContext } from "react";
import type { Project } from "@aws-sdk/client-codebuild";
import type { ProjectForm } from "../form";

/** What the sections of the form share. */
export interface FormState {
  readonly form: ProjectForm;
  /** Changes some of what stands in the form. */
  readonly patch: (change: Partial<ProjectForm>) => void;
  /** The project that is edited, or undefined for a new one. */
  readonly was: Project | undefined;
  /** What is wrong with a field, if the user is to see it already. */
  readonly errorOf: (member: string) => string | undefined;
  /** What is wrong with one value of an element of a list, likewise. */
  readonly elementErrorOf: (list: string, index: number, name: string) => string | undefined;
  readonly warningOf: (member: string) => string | undefined;
  /** The user has been at a field. */
  readonly touch: (member: string) => void;
}

export const FormContext = createContext<FormState | undefined>(undefined);

/** What stands in the form around. */
export function useProjectForm(): FormState {
  const state = useContext(FormContext);
  if (state === undefined) throw new Error("there is no form around");
  return state;
}

/** One part of the form, and how to change some of it. */
export function usePart<K extends "source" | "webhook" | "environment" | "buildspec" | "batch" | "artifacts" | "cache" | "logs">(
  part: K,
): readonly [ProjectForm[K], (change: Partial<ProjectForm[K]>) => void] {
  const { form, patch } = useProjectForm();
  return [form[part], (change) => patch({ [part]: { ...form[part], ...change } })];
}
