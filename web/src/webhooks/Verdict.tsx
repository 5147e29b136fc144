import Box from "@cloudscape-design/components/box";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { ProjectVerdict } from "../api/slipway.gen";
import { paths } from "../app/navigate";
import { AppLink } from "../parts/AppLink";
import { about, outcomeWords, plain, whyNot, wouldWords } from "./words";
import { VerdictTable } from "./VerdictTable";
import { Said } from "./Said";
import css from "./webhooks.module.css";

/** What one event came to for one project, or with dry would come to, and why. */
export function Verdict({ verdict, dry = false }: { verdict: ProjectVerdict; dry?: boolean }) {
  const { outcome, reason = "", groups = [], buildId, projectName } = verdict;
  const why = whyNot(verdict);
  return (
    <SpaceBetween size="xs">
      <div className={css["text"]}>
        <Said words={(dry ? wouldWords : outcomeWords)[outcome]} /> {plain(reason)}
        {why !== "" && why !== reason && <> {plain(why)}.</>}
      </div>
      <Box color="text-body-secondary">
        <span className={css["text"]}>{about(verdict)}</span>
      </Box>
      {buildId !== undefined && buildId !== "" && (
        <div className={css["text"]}>
          Build <AppLink to={paths.build(buildId)}>{buildId}</AppLink>
        </div>
      )}
      {groups.length > 0 && <VerdictTable groups={groups} label={`Filters of project ${projectName}`} />}
    </SpaceBetween>
  );
}
