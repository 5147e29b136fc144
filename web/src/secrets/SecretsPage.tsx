import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";
import { keepPreviousData, useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useSearchParams } from "wouter";
import { slipway } from "../api/slipway";
import type { SecretSummary } from "../api/slipway.gen";
import { paths } from "../app/navigate";
import { useNotify } from "../app/notifications";
import { AppLink } from "../parts/AppLink";
import { ConfirmModal } from "../parts/ConfirmModal";
import { Empty } from "../parts/Empty";
import { Page } from "../parts/Page";
import { ProblemAlert } from "../parts/ProblemAlert";
import { Time } from "../parts/Time";
import { full } from "../parts/time";
import { useDebounced } from "../parts/useDebounced";
import { remove } from "./remove";
import styles from "./secrets.module.css";
import { kindWords } from "./words";

/** Which parameters and secrets builds can take values from. The values themselves are never here. */
export default function SecretsPage() {
  const [params, setParams] = useSearchParams();
  const typed = params.get("search") ?? "";
  const search = useDebounced(typed, 250);
  const cache = useQueryClient();
  const notify = useNotify();
  const [removing, setRemoving] = useState<SecretSummary>();
  const pages = useInfiniteQuery({
    queryKey: ["secrets", search],
    queryFn: ({ pageParam, signal }) => slipway("ListSecrets", { search, ...(pageParam === "" ? {} : { nextToken: pageParam }) }, signal),
    initialPageParam: "",
    getNextPageParam: (page) => page.nextToken,
    placeholderData: keepPreviousData,
  });
  const all = pages.data?.pages.flatMap((p) => p.secrets ?? []) ?? [];
  const removed = async (s: SecretSummary) => {
    await remove(s);
    notify({ type: "success", content: s.kind === "SECRET" ? `The secret ${s.name} is gone for builds, and can be restored for 30 days.` : `The parameter ${s.name} was deleted.` });
    await cache.invalidateQueries({ queryKey: ["secrets"] });
  };
  return (
    <Page title="Parameters and secrets" description="What builds take values from for variables of type PARAMETER_STORE and SECRETS_MANAGER. Values are sealed, given out to builds only, and never shown here.">
      <ProblemAlert error={pages.error} doing="list the parameters and secrets" retry={() => void pages.refetch()} />
      <FormField label="Find by name or description">
        <Input
          type="search"
          value={typed}
          onChange={({ detail }) =>
            setParams(
              (now) => {
                const next = new URLSearchParams(now);
                if (detail.value === "") next.delete("search");
                else next.set("search", detail.value);
                return next;
              },
              { replace: true },
            )
          }
        />
      </FormField>
      <Table<SecretSummary>
        variant="container"
        header={
          <Header variant="h2" counter={pages.data === undefined ? undefined : `(${all.length}${pages.hasNextPage ? "+" : ""})`}>
            Kept on this server
          </Header>
        }
        ariaLabels={{ tableLabel: "Parameters and secrets" }}
        loading={pages.isPending}
        loadingText="Loading parameters and secrets"
        items={all}
        trackBy="arn"
        enableKeyboardNavigation
        wrapLines
        columnDefinitions={[
          { id: "name", header: "Name", isRowHeader: true, cell: (s) => <Name of={s} />, minWidth: 200 },
          { id: "kind", header: "Kind", cell: kindWords, minWidth: 140 },
          { id: "versions", header: "Versions", cell: (s) => s.versions ?? "–", minWidth: 100 },
          { id: "changed", header: "Changed", cell: (s) => <Time at={s.changed} />, minWidth: 140 },
          { id: "used", header: "Last used", cell: (s) => <Used of={s} />, minWidth: 200 },
          {
            id: "remove",
            header: "Actions",
            cell: (s) =>
              s.deleted === undefined && (
                <Button variant="inline-link" ariaLabel={`Delete ${s.name}`} onClick={() => setRemoving(s)}>
                  Delete
                </Button>
              ),
            minWidth: 100,
          },
        ]}
        empty={search === "" ? <First /> : <Empty title="Nothing has such a name or description" />}
        footer={
          pages.hasNextPage && (
            <Box textAlign="center">
              <Button loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
                Show more
              </Button>
            </Box>
          )
        }
      />
      {removing !== undefined && (
        <ConfirmModal
          title={`Delete ${removing.kind === "SECRET" ? "secret" : "parameter"}`}
          action="Delete"
          word={removing.name}
          onConfirm={() => removed(removing)}
          onDismiss={() => setRemoving(undefined)}
        >
          {removing.kind === "SECRET"
            ? "Builds that take a value from it fail from now on. For 30 days it can be restored with aws secretsmanager restore-secret."
            : "Builds that take a value from it fail from now on. All its versions are gone at once."}
        </ConfirmModal>
      )}
    </Page>
  );
}

function Name({ of }: { of: SecretSummary }) {
  return (
    <span className={styles["name"]}>
      {of.name}
      {of.description !== undefined && of.description !== "" && (
        <Box color="text-body-secondary" fontSize="body-s">
          {of.description}
        </Box>
      )}
      {of.deleted !== undefined && (
        <div>
          <StatusIndicator type="stopped">Deleted, can be restored until {full(of.deleted)}</StatusIndicator>
        </div>
      )}
    </span>
  );
}

function Used({ of: { lastUse } }: { of: SecretSummary }) {
  if (lastUse === undefined) return <>Never</>;
  return (
    <>
      <Time at={lastUse.at} />
      {lastUse.buildId !== undefined && lastUse.buildId !== "" ? (
        <div>
          by a build of <AppLink to={paths.build(lastUse.buildId)}>{lastUse.projectName ?? lastUse.buildId}</AppLink>
        </div>
      ) : (
        lastUse.user !== undefined && lastUse.user !== "" && <div>by {lastUse.user}</div>
      )}
    </>
  );
}

/** How to make the first one. */
function First() {
  return (
    <Empty title="No parameters and secrets">
      <SpaceBetween size="xs">
        <div>Builds take passwords and tokens from here, so that no project and no buildspec holds them. Keep one from a terminal:</div>
        <pre className={styles["commands"]} tabIndex={0} aria-label="Commands that keep a value">
          {"slipway secret put app/db < db.json\naws ssm put-parameter --name /app/token --type SecureString --value file://token.txt"}
        </pre>
        <div>and name it in the buildspec:</div>
        <pre className={styles["commands"]} tabIndex={0} aria-label="Buildspec that takes values">
          {"env:\n  secrets-manager:\n    DB_PASSWORD: app/db:password\n  parameter-store:\n    TOKEN: /app/token"}
        </pre>
      </SpaceBetween>
    </Empty>
  );
}
