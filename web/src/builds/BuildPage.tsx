import type { Build } from "@aws-sdk/client-codebuild";
import Button from "@cloudscape-design/components/button";
import LiveRegion from "@cloudscape-design/components/live-region";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useSearchParams } from "wouter";
import { Problem } from "../api/problem";
import { paths, useGo, usePathPart } from "../app/navigate";
import { useNotify } from "../app/notifications";
import { AppButton } from "../parts/AppButton";
import { BuildStatus } from "../parts/BuildStatus";
import { Empty } from "../parts/Empty";
import { Loading } from "../parts/Loading";
import { Page } from "../parts/Page";
import { PageTabs } from "../parts/PageTabs";
import { ProblemAlert } from "../parts/ProblemAlert";
import { retryBuilds } from "./actions";
import { announcement, inProgress, tabTitle } from "./build";
import { BuildOverview } from "./BuildOverview";
import { ConfirmBuilds, type Confirmed } from "./ConfirmBuilds";
import { FailureAlert } from "./FailureAlert";
import { buildTabs } from "./tabs";
import { buildKey, useBuild } from "./useBuild";
import { buildSearchKey } from "./useBuildSearch";
import { buildName, projectOf } from "./words";

/** One build: how it goes, or why it failed. */
export default function BuildPage() {
  const id = usePathPart("id");
  const { data: build, error, refetch } = useBuild(id);
  const project = build?.projectName ?? projectOf(id);
  const title = build === undefined || build === null ? id : buildName(build);
  const crumbs = [
    { text: "Build projects", to: paths.projects() },
    ...(project === "" ? [] : [{ text: project, to: paths.project(project) }]),
  ];
  const words = build === undefined || build === null ? undefined : `${tabTitle(build)} · Slipway`;
  useEffect(() => {
    if (words !== undefined) document.title = words;
  }, [words]);
  return (
    <Page
      title={title}
      crumbs={crumbs}
      description={build !== undefined && build !== null && <BuildStatus status={build.buildStatus} phase={build.currentPhase} />}
      actions={build !== undefined && build !== null && <BuildActions build={build} id={id} project={project} />}
    >
      <ProblemAlert error={error} doing="read the build" retry={() => void refetch()} />
      {build === undefined && error === null && <Loading what="build" minHeight={600} />}
      {build === null && (
        <Empty title="There is no such build" action={<AppButton to={paths.builds()}>Go to the build history</AppButton>}>
          It was deleted, or the link to it is cut off.
        </Empty>
      )}
      {build !== undefined && build !== null && <Shown build={build} id={id} />}
    </Page>
  );
}

function Shown({ build, id }: { build: Build; id: string }) {
  const [search, setSearch] = useSearchParams();
  const tabs = buildTabs(build, id);
  const asked = search.get("tab");
  const active = tabs.find((t) => t.id === asked)?.id ?? "logs";
  return (
    <SpaceBetween size="l">
      <FailureAlert build={build} />
      <BuildOverview build={build} />
      <LiveRegion hidden>{announcement(build)}</LiveRegion>
      <PageTabs
        variant="container"
        ariaLabel="About the build"
        tabs={[...tabs]}
        activeTabId={active}
        onChange={({ detail }) =>
          setSearch(
            (now) => {
              const next = new URLSearchParams(now);
              next.set("tab", detail.activeTabId);
              return next;
            },
            { replace: true },
          )
        }
      />
    </SpaceBetween>
  );
}

function BuildActions({ build, id, project }: { build: Build; id: string; project: string }) {
  const [confirming, setConfirming] = useState<Confirmed>();
  const [retrying, setRetrying] = useState(false);
  const client = useQueryClient();
  const notify = useNotify();
  const go = useGo();
  const running = inProgress(build);
  const retry = async () => {
    setRetrying(true);
    try {
      const [started] = await retryBuilds([id]);
      void client.invalidateQueries({ queryKey: buildSearchKey });
      if (started?.id !== undefined) go(paths.build(started.id));
    } catch (e) {
      notify({ type: "error", header: `Could not retry build ${buildName(build)}`, content: Problem.of(e).message });
    } finally {
      setRetrying(false);
    }
  };
  const done = async () => {
    void client.invalidateQueries({ queryKey: buildSearchKey });
    if (confirming !== "delete") {
      await client.invalidateQueries({ queryKey: buildKey(id) });
      return;
    }
    client.removeQueries({ queryKey: buildKey(id) });
    notify({ type: "success", header: `Build ${buildName(build)} was deleted` });
    go(project === "" ? paths.builds() : paths.project(project));
  };
  return (
    <SpaceBetween direction="horizontal" size="xs">
      <Button disabled={!running} disabledReason="The build has ended." onClick={() => setConfirming("stop")}>
        Stop build
      </Button>
      <Button disabled={running} disabledReason="Stop the build first." onClick={() => setConfirming("delete")}>
        Delete build
      </Button>
      <AppButton to={paths.startBuild(project, id)}>Retry with changes</AppButton>
      <Button variant="primary" loading={retrying} onClick={() => void retry()}>
        Retry build
      </Button>
      {confirming !== undefined && <ConfirmBuilds what={confirming} builds={[{ ...build, id }]} onDone={done} onDismiss={() => setConfirming(undefined)} />}
    </SpaceBetween>
  );
}
