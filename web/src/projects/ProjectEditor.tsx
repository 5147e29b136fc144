import type { Project, Webhook } from "@aws-sdk/client-codebuild";
import type { AlertProps } from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import Form from "@cloudscape-design/components/form";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQueryClient } from "@tanstack/react-query";
import { useMemo, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { Problem } from "../api/problem";
import type { ProjectFinding } from "../api/slipway.gen";
import { paths, useGo } from "../app/navigate";
import { useNotify } from "../app/notifications";
import { ProblemAlert } from "../parts/ProblemAlert";
import { ofWebhook } from "../webhooks/filters";
import { SecretModal } from "../webhooks/SecretModal";
import { AsCode } from "./AsCode";
import { assign, ofElement, type FieldFindings } from "./findings";
import { serverOf, type ProjectForm } from "./form";
import { BuildspecSection } from "./form/BuildspecSection";
import { ConfigurationSection } from "./form/ConfigurationSection";
import { FormContext, type FormState } from "./form/context";
import { EnvironmentSection } from "./form/EnvironmentSection";
import { HalfSaved } from "./form/HalfSaved";
import { LeaveModal, Refusals } from "./form/ProjectFields";
import { ArtifactsSection, BatchSection, CacheSection, LogsSection } from "./form/ResultSections";
import { SourceSection } from "./form/SourceSection";
import { WebhookSection } from "./form/WebhookSection";
import { handOver, type Handover } from "./handover";
import { createRequest, updateRequest, webhookChange } from "./request";
import { save, type Saved } from "./save";
import { useFindings } from "./useFindings";
import { useTouched } from "./useTouched";
import { useUnsaved } from "./useUnsaved";

/** The form that makes a project, or changes the one that was. */
export function ProjectEditor({ initial, was: opened, handover }: { initial: ProjectForm; was: Project | undefined; handover?: Handover | undefined }) {
  const [was, setWas] = useState(opened);
  const [form, setForm] = useState<ProjectForm>(handover?.form ?? initial);
  const [asked, setAsked] = useState(false);
  const [refused, setRefused] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [half, setHalf] = useState<Exclude<Saved, { done: "all" }> | undefined>(handover && { done: "project", failed: "create", error: handover.error });
  const [byHand, setByHand] = useState<Webhook>();
  const [asCode, setAsCode] = useState(false);
  const alert = useRef<AlertProps.Ref>(null);
  const go = useGo();
  const notify = useNotify();
  const client = useQueryClient();
  const unsaved = useUnsaved(JSON.stringify(form) !== JSON.stringify(initial), go);
  const deletes = webhookChange(form, was?.webhook).kind === "delete";
  const { findings, current, check } = useFindings(was === undefined ? createRequest(form) : updateRequest(form, was), was !== undefined);
  const { touched, touch } = useTouched(current);
  const server = serverOf(form.source.type);
  // A webhook that is about to go no longer minds the source.
  const refuses = (f: ProjectFinding) => f.level === "ERROR" && !(deletes && f.member === "source");

  const state = useMemo<FormState>(() => {
    const { byField } = assign(findings);
    const seen = (member: string) => asked || touched.has(member);
    const said = (member: string, kind: keyof FieldFindings) => {
      const found = byField.get(member)?.[kind] ?? [];
      return found.length === 0 ? undefined : found.map((f) => f.message).join(" ");
    };
    return {
      form,
      was,
      patch: (change) => setForm((now) => ({ ...now, ...change })),
      errorOf: (member) => (seen(member) ? said(member, "errors") : undefined),
      elementErrorOf: (list, index, name) => (seen(list) ? ofElement(findings, list, index, name) : undefined),
      warningOf: (member) => said(member, "warnings"),
      touch,
    };
  }, [form, was, findings, asked, touched, touch]);

  const leave = () => {
    unsaved.release();
    go(paths.project(form.name));
  };

  const submit = async () => {
    setBusy(true);
    setError(undefined);
    setHalf(undefined);
    setAsked(true);
    try {
      const errors = (await check()).filter(refuses);
      flushSync(() => setRefused(errors.length > 0));
      if (errors.length > 0) {
        alert.current?.focus();
        return;
      }
      const saved = await save(form, was);
      await client.invalidateQueries({ queryKey: ["projects"] });
      if (saved.done === "project" && was === undefined) {
        unsaved.release();
        handOver(form.name, { form, error: saved.error });
        go(paths.editProject(form.name), { replace: true });
        return;
      }
      if (saved.done !== "all") {
        if (saved.done === "deletion") setWas((p) => p && { ...p, webhook: undefined }); // it is not deleted twice
        setHalf(saved);
        window.scrollTo({ top: 0 });
        return;
      }
      void client.invalidateQueries({ queryKey: ["webhooks"] });
      notify({ type: "success", content: was === undefined ? `The project ${form.name} is created.` : `The project ${form.name} is saved.` });
      if (saved.byHand === undefined) leave();
      else setByHand(saved.byHand);
    } catch (e) {
      setError(e);
      window.scrollTo({ top: 0 });
    } finally {
      setBusy(false);
    }
  };

  return (
    <FormContext value={state}>
      <Form
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <Button onClick={() => setAsCode(true)}>Show as CLI command or Terraform</Button>
            <Button variant="link" onClick={() => go(was === undefined ? paths.projects() : paths.project(form.name))} href={undefined}>
              Cancel
            </Button>
            <Button variant="primary" loading={busy} onClick={() => void submit()}>
              {was === undefined ? "Create build project" : "Update project"}
            </Button>
          </SpaceBetween>
        }
      >
        <SpaceBetween size="l">
          <Refusals ref={alert} findings={refused ? findings.filter(refuses) : []} />
          <ProblemAlert error={error} doing={was === undefined ? "create the project" : "save the project"} />
          {half !== undefined && <HalfSaved half={half} />}
          <ConfigurationSection />
          <SourceSection />
          {server !== undefined && <WebhookSection server={server} errors={half?.done === "project" ? [Problem.of(half.error).message] : []} />}
          <EnvironmentSection />
          <BuildspecSection />
          <BatchSection />
          <ArtifactsSection />
          <CacheSection />
          <LogsSection />
        </SpaceBetween>
      </Form>
      <LeaveModal unsaved={unsaved} />
      {asCode && <AsCode form={form} was={was} changes onDismiss={() => setAsCode(false)} />}
      {byHand?.secret !== undefined && (
        <SecretModal byHand={{ payloadUrl: byHand.payloadUrl ?? "", secret: byHand.secret, groups: ofWebhook(byHand.filterGroups) }} onDismiss={leave} />
      )}
    </FormContext>
  );
}
