import Box from "@cloudscape-design/components/box";
import ButtonDropdown from "@cloudscape-design/components/button-dropdown";
import Header from "@cloudscape-design/components/header";
import Popover from "@cloudscape-design/components/popover";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";
import type { CredentialSummary } from "../api/slipway.gen";
import { paths, useGo } from "../app/navigate";
import { AppButton } from "../parts/AppButton";
import { AppLink } from "../parts/AppLink";
import { Empty } from "../parts/Empty";
import { Time } from "../parts/Time";
import { Expiry } from "./Expiry";
import { providerName } from "./providers";
import { handle, kindWords, ownerWords, stateWords, title } from "./words";

/** The credentials, and what can be done with each. */
export function CredentialsTable({
  credentials,
  loading,
  asking,
  onVerify,
  onDelete,
}: {
  credentials: readonly CredentialSummary[];
  loading: boolean;
  /** The ARNs of those whose provider is being asked. */
  asking: ReadonlySet<string>;
  onVerify: (credential: CredentialSummary) => void;
  onDelete: (credential: CredentialSummary) => void;
}) {
  const go = useGo();
  return (
    <Table
      items={credentials}
      trackBy="arn"
      loading={loading}
      loadingText="Loading source credentials"
      wrapLines
      stickyColumns={{ last: 1 }}
      ariaLabels={{ tableLabel: "Source credentials" }}
      header={
        <Header variant="h2" counter={loading ? "" : `(${credentials.length})`}>
          Source credentials
        </Header>
      }
      empty={
        <Empty
          title="There are no source credentials, so only public repositories can be fetched"
          action={<AppButton to={paths.connect()}>Connect a source provider</AppButton>}
        >
          A source credential is an access token of GitHub, Bitbucket or GitLab. With it CodeBuild fetches private repositories, reports build statuses and creates webhooks.
        </Empty>
      }
      columnDefinitions={[
        {
          id: "credential",
          header: "Credential",
          isRowHeader: true,
          minWidth: 180,
          cell: (c) => (
            <>
              <AppLink to={paths.sourceProvider(handle(c))}>{title(c)}</AppLink>
              <Box color="text-body-secondary" fontSize="body-s">
                <span style={{ overflowWrap: "anywhere" }}>{c.arn}</span>
              </Box>
            </>
          ),
        },
        {
          id: "provider",
          header: "Provider",
          minWidth: 130,
          cell: (c) => (
            <>
              {providerName(c.serverType)}
              {c.health !== undefined && c.health.tokenKind !== "UNKNOWN" && (
                <Box color="text-body-secondary" fontSize="body-s">
                  {kindWords(c.health.tokenKind)}
                </Box>
              )}
            </>
          ),
        },
        {
          id: "health",
          header: "Health",
          minWidth: 190,
          cell: (c) => {
            if (asking.has(c.arn)) return <StatusIndicator type="in-progress">Asking the provider</StatusIndicator>;
            const { type, text } = stateWords(c.health);
            const said = c.health?.state === "VALID" ? undefined : c.health?.message;
            return (
              <>
                <StatusIndicator type={type}>{text}</StatusIndicator>
                {said !== undefined && (
                  <Box color="text-body-secondary" fontSize="body-s">
                    {said}
                  </Box>
                )}
              </>
            );
          },
        },
        { id: "owner", header: "Owner", minWidth: 80, cell: (c) => ownerWords(c.health) },
        { id: "expires", header: "Expires", minWidth: 100, cell: (c) => <Expiry expires={c.expires} /> },
        { id: "used", header: "Last used", minWidth: 95, cell: (c) => <Time at={c.lastUsed} none="Never" /> },
        { id: "by", header: "Used by", minWidth: 95, cell: (c) => <UsedBy credential={c} /> },
        {
          id: "actions",
          header: "Actions",
          minWidth: 80,
          cell: (c) => (
            <ButtonDropdown
              variant="inline-icon"
              expandToViewport
              ariaLabel={`Actions for ${title(c)}`}
              items={[
                { id: "verify", text: "Verify now", disabled: asking.has(c.arn) },
                { id: "replace", text: "Replace token" },
                { id: "delete", text: "Delete" },
              ]}
              onItemClick={(e) => {
                if (e.detail.id === "verify") onVerify(c);
                else if (e.detail.id === "replace") go(paths.connect(c.serverType, handle(c)));
                else onDelete(c);
              }}
            />
          ),
        },
      ]}
    />
  );
}

/** How many projects use a credential, and which when asked. */
function UsedBy({ credential }: { credential: CredentialSummary }) {
  const projects = credential.usedBy ?? [];
  if (projects.length === 0) return <>No project</>;
  return (
    <Popover header={`Projects that use ${title(credential)}`} dismissAriaLabel="Close" content={<ProjectLinks projects={projects} />}>
      {projects.length === 1 ? "1 project" : `${projects.length} projects`}
    </Popover>
  );
}

/** Links to projects. */
export function ProjectLinks({ projects }: { projects: readonly string[] }) {
  return (
    <ul style={{ margin: 0, paddingInlineStart: 20 }}>
      {projects.map((name) => (
        <li key={name}>
          <AppLink to={paths.project(name)}>{name}</AppLink>
        </li>
      ))}
    </ul>
  );
}
