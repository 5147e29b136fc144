import Box from "@cloudscape-design/components/box";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import type { AffectedProject } from "../api/slipway.gen";
import { paths } from "../app/navigate";
import { AppLink } from "../parts/AppLink";

/** What would become of projects. */
export function AffectedProjects({ projects, none }: { projects: readonly AffectedProject[]; none: string }) {
  if (projects.length === 0) return <Box>{none}</Box>;
  return (
    <ul aria-label="Affected projects" style={{ margin: 0, paddingInlineStart: 20, maxHeight: "40vh", overflowY: "auto" }}>
      {projects.map((p) => (
        <li key={p.projectName}>
          <AppLink to={paths.project(p.projectName)}>{p.projectName}</AppLink>{" "}
          {p.repositoryUrl !== undefined && (
            <Box variant="span" color="text-body-secondary">
              {p.repositoryUrl}
            </Box>
          )}
          {p.then !== undefined && <div>{p.then}</div>}
          {(p.lose ?? []).map((lost) => (
            <div key={lost}>
              <StatusIndicator type="error">Would lose:</StatusIndicator> {lost}
            </div>
          ))}
        </li>
      ))}
    </ul>
  );
}
