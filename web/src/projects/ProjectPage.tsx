import { StartBuildCommand, type Project } from "@aws-sdk/client-codebuild";
import ButtonDropdown from "@cloudscape-design/components/button-dropdown";
import Button from "@cloudscape-design/components/button";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useParams, useSearchParams } from "wouter";
import { codebuild } from "../api/codebuild";
import { Problem } from "../api/problem";
import { paths, useGo } from "../app/navigate";
import { BuildsTable } from "../builds/BuildsTable";
import { AppButton } from "../parts/AppButton";
import { Empty } from "../parts/Empty";
import { Loading } from "../parts/Loading";
import { Page } from "../parts/Page";
import { PageTabs } from "../parts/PageTabs";
import { ProblemAlert } from "../parts/ProblemAlert";
import { Time } from "../parts/Time";
import { WebhookPanel } from "../webhooks/WebhookPanel";
import { AsCode } from "./AsCode";
import { DeleteProject } from "./DeleteProject";
import { formOf } from "./form";
import { ProjectDetails } from "./ProjectDetails";
import { providerName } from "./providers";
import { projectQuery } from "./queries";
import { Repository } from "./Repository";

const crumbs = [{ text: "Build projects", to: paths.projects() }];

/** One project. */
export default function ProjectPage() {
  const { name } = useParams<{ name: string }>();
  const [search, setSearch] = useSearchParams();
  const project = useQuery(projectQuery(name));
  const missing = project.error !== null && Problem.of(project.error).name === "ResourceNotFoundException";
  if (missing) {
    return (
      <Page title={name} crumbs={crumbs}>
        <Empty title={`There is no project called ${name}`} action={<AppButton to={paths.projects()}>See all projects</AppButton>}>
          It may have been deleted. Its builds are still in the build history.
        </Empty>
      </Page>
    );
  }
  return (
    <Page title={name} crumbs={crumbs} actions={project.data === undefined ? undefined : <Actions name={name} project={project.data} />}>
      <ProblemAlert error={project.error} doing="read the project" retry={() => void project.refetch()} />
      {project.data === undefined ? <Loading what="project" minHeight={600} /> : <Summary project={project.data} />}
      {project.data !== undefined && (
        <PageTabs
          ariaLabel="Parts of the project"
          activeTabId={search.get("tab") ?? "history"}
          onChange={({ detail }) => setSearch(detail.activeTabId === "history" ? {} : { tab: detail.activeTabId }, { replace: true })}
          tabs={[
            { id: "history", label: "Build history", content: <BuildsTable projectName={name} /> },
            { id: "details", label: "Build details", content: <ProjectDetails project={project.data} /> },
            { id: "webhook", label: "Webhook", content: <WebhookPanel projectName={name} /> },
          ]}
        />
      )}
    </Page>
  );
}

function Actions({ name, project }: { name: string; project: Project }) {
  const [open, setOpen] = useState<"delete" | "code">();
  const [starting, setStarting] = useState(false);
  const [error, setError] = useState<unknown>();
  const go = useGo();
  const start = async () => {
    setStarting(true);
    setError(undefined);
    try {
      const { build } = await codebuild.send(new StartBuildCommand({ projectName: name }));
      if (build?.id !== undefined) go(paths.build(build.id));
    } catch (e) {
      setError(e);
    } finally {
      setStarting(false);
    }
  };
  return (
    <SpaceBetween size="s">
      <SpaceBetween direction="horizontal" size="xs">
        <ButtonDropdown
          items={[
            { id: "code", text: "Show as CLI command or Terraform" },
            { id: "delete", text: "Delete" },
          ]}
          onItemClick={({ detail }) => setOpen(detail.id === "code" ? "code" : "delete")}
        >
          Actions
        </ButtonDropdown>
        <AppButton to={paths.editProject(name)}>Edit</AppButton>
        <AppButton to={paths.startBuild(name)}>Start build</AppButton>
        <Button variant="primary" loading={starting} onClick={() => void start()}>
          Start build now
        </Button>
      </SpaceBetween>
      <ProblemAlert error={error} doing="start a build" />
      {open === "delete" && <DeleteProject name={name} onDeleted={() => go(paths.projects())} onDismiss={() => setOpen(undefined)} />}
      {open === "code" && <AsCode form={formOf(project)} was={project} changes={false} onDismiss={() => setOpen(undefined)} />}
    </SpaceBetween>
  );
}

function Summary({ project }: { project: Project }) {
  return (
    <Container header={<Header variant="h2">Configuration</Header>}>
      <KeyValuePairs
        columns={4}
        items={[
          { label: "Source provider", value: providerName(project.source?.type) },
          { label: "Primary repository", value: <Repository source={project.source} short /> },
          { label: "Source version", value: project.source?.type === "NO_SOURCE" ? "–" : (project.sourceVersion ?? "") === "" ? "Default branch" : project.sourceVersion },
          { label: "Last modified", value: <Time at={project.lastModified} /> },
        ]}
      />
    </Container>
  );
}
