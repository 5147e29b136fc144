import { StartBuildCommand, type Build, type Project } from "@aws-sdk/client-codebuild";
import Button from "@cloudscape-design/components/button";
import ColumnLayout from "@cloudscape-design/components/column-layout";
import Container from "@cloudscape-design/components/container";
import CopyToClipboard from "@cloudscape-design/components/copy-to-clipboard";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import Form from "@cloudscape-design/components/form";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Textarea from "@cloudscape-design/components/textarea";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { codebuild } from "../api/codebuild";
import { endpoint } from "../api/place";
import { paths, useGo } from "../app/navigate";
import { AppButton } from "../parts/AppButton";
import { ProblemAlert } from "../parts/ProblemAlert";
import { useSession } from "../session/useSession";
import { startCommand } from "./cli";
import { SourceVersion } from "./SourceVersion";
import { formOfBuild, formOfProject, problemsOf, sound, startInput, type StartForm } from "./start";
import { StartAdvanced, StartEnvironment } from "./StartAdvanced";
import { buildSearchKey } from "./useBuildSearch";
import { VariablesEditor } from "./VariablesEditor";
import styles from "./builds.module.css";

/** The form of a build to start. It begins as the project is, or as an earlier build was. */
export function StartBuildForm({ project, build }: { project: Project; build: Build | undefined }) {
  const name = project.name ?? "";
  const [base] = useState(() => formOfProject(project));
  const [form, setForm] = useState<StartForm>(() => (build === undefined ? base : formOfBuild(project, build)));
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const go = useGo();
  const client = useQueryClient();
  const region = useSession()?.region ?? "";
  const set = (change: Partial<StartForm>) => setForm((now) => ({ ...now, ...change }));
  const problems = problemsOf(form);
  const input = startInput(name, base, form);
  const command = startCommand(input, endpoint, region);

  const start = async () => {
    setAsked(true);
    if (!sound(problems) || busy) return;
    setBusy(true);
    setError(undefined);
    try {
      const { build: started } = await codebuild.send(new StartBuildCommand(input));
      void client.invalidateQueries({ queryKey: buildSearchKey });
      go(started?.id === undefined ? paths.builds(name) : paths.build(started.id));
    } catch (e) {
      setError(e);
      setBusy(false);
    }
  };

  return (
    <form
      onSubmit={(e) => {
        e.preventDefault();
        void start();
      }}
    >
      <Form
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <AppButton variant="link" formAction="none" to={build?.id === undefined ? paths.project(name) : paths.build(build.id)}>
              Cancel
            </AppButton>
            <Button variant="primary" loading={busy}>
              Start build
            </Button>
          </SpaceBetween>
        }
      >
        <SpaceBetween size="l">
          <Container header={<Header variant="h2">Source</Header>}>
            <SourceVersion type={form.sourceType} location={form.sourceLocation} value={form.sourceVersion} onChange={(sourceVersion) => set({ sourceVersion })} />
          </Container>
          <Container
            header={
              <Header variant="h2" description="Those of the project keep its value unless you change it here.">
                Environment variables
              </Header>
            }
          >
            <VariablesEditor variables={form.variables} problems={asked ? problems.variables : []} onChange={(variables) => set({ variables })} />
          </Container>
          <Container header={<Header variant="h2">Build</Header>}>
            <SpaceBetween size="l">
              <FormField
                label="Buildspec"
                description="Commands as YAML, or the path of a file in the source. Empty for buildspec.yml in the source."
                stretch
              >
                <Textarea value={form.buildspec} rows={form.buildspec.includes("\n") ? 12 : 3} spellcheck={false} onChange={({ detail }) => set({ buildspec: detail.value })} />
              </FormField>
              <ColumnLayout columns={2}>
                <FormField label="Timeout in minutes" description="How long the build may run." errorText={problems.timeout}>
                  <Input type="number" inputMode="numeric" value={form.timeout} onChange={({ detail }) => set({ timeout: detail.value })} />
                </FormField>
                <FormField label="Queued timeout in minutes" description="How long it may wait for its turn." errorText={problems.queuedTimeout}>
                  <Input type="number" inputMode="numeric" value={form.queuedTimeout} onChange={({ detail }) => set({ queuedTimeout: detail.value })} />
                </FormField>
              </ColumnLayout>
            </SpaceBetween>
          </Container>
          <StartEnvironment form={form} set={set} />
          <StartAdvanced form={form} set={set} />
          <ExpandableSection
            variant="container"
            headerText="Show as CLI command"
            headerDescription="The same with the AWS CLI: only what you changed is sent."
          >
            <SpaceBetween size="s">
              <pre className={styles["text"]} tabIndex={0} aria-label="CLI command">
                {command}
              </pre>
              <CopyToClipboard textToCopy={command} copyButtonText="Copy" copyButtonAriaLabel="Copy the CLI command" copySuccessText="Command copied" copyErrorText="The browser did not let the command be copied" />
            </SpaceBetween>
          </ExpandableSection>
          <ProblemAlert error={error} doing="start the build" />
        </SpaceBetween>
      </Form>
    </form>
  );
}
