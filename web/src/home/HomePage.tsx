import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Grid from "@cloudscape-design/components/grid";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { paths } from "../app/navigate";
import { liveInterval } from "../app/query";
import { AppButton } from "../parts/AppButton";
import { Later } from "../parts/Later";
import { ProblemAlert } from "../parts/ProblemAlert";
import { Titled } from "../parts/Titled";
import { AttentionList } from "./AttentionList";
import { Charts } from "./Charts";
import { FirstSteps } from "./FirstSteps";
import { ProjectTable } from "./ProjectTable";
import { credentialsQuery, days, statisticsQuery, webhooksQuery } from "./queries";
import { RecentBuilds } from "./RecentBuilds";
import { percent, successRate, total } from "./statistics";

/** What needs attention, and how builds are doing. */
export default function HomePage() {
  const statistics = useQuery({
    ...statisticsQuery,
    refetchInterval: (q) => ((q.state.data?.running ?? 0) + (q.state.data?.queued ?? 0) > 0 ? liveInterval : 15_000),
    placeholderData: keepPreviousData,
  });
  const credentials = useQuery(credentialsQuery);
  const webhooks = useQuery(webhooksQuery);

  const now = statistics.data;
  const sums = total(now?.days ?? []);
  const nothingYet = now !== undefined && (now.projects ?? []).length === 0 && sums.succeeded + sums.failed + sums.other === 0;
  return (
    <Titled
      title="Home"
      actions={
        <Button
          iconName="refresh"
          ariaLabel="Refresh"
          onClick={() => {
            void statistics.refetch();
            void credentials.refetch();
            void webhooks.refetch();
          }}
        />
      }
    >
      <ProblemAlert error={statistics.error ?? credentials.error ?? webhooks.error} doing="read how things are" retry={() => void statistics.refetch()} />
      {nothingYet && <FirstSteps connected={(credentials.data?.credentials ?? []).length > 0} />}
      <Grid gridDefinition={[{ colspan: { default: 12, s: 8 } }, { colspan: { default: 12, s: 4 } }]}>
        <AttentionList credentials={credentials.data?.credentials} webhooks={webhooks.data?.webhooks} statistics={now} />
        <Container header={<Header variant="h2">Builds now</Header>} fitHeight>
          <KeyValuePairs
            columns={2}
            items={[
              { label: "In progress", value: now === undefined ? "–" : (now.running ?? 0) },
              { label: "Queued", value: now === undefined ? "–" : (now.queued ?? 0) },
              { label: `Succeeded in ${days} days`, value: percent(successRate(sums)) },
              { label: `Builds in ${days} days`, value: now === undefined ? "–" : sums.succeeded + sums.failed + sums.other },
            ]}
          />
        </Container>
      </Grid>
      <RecentBuilds live={(now?.running ?? 0) + (now?.queued ?? 0) > 0} />
      {now !== undefined && !nothingYet && (
        <Later height={386}>
          <Charts days={now.days ?? []} span={days} />
        </Later>
      )}
      {now !== undefined && !nothingYet && (
        <Later height={560}>
          <ProjectTable projects={now.projects ?? []} days={days} action={<AppButton to={paths.projects()}>All projects</AppButton>} />
        </Later>
      )}
    </Titled>
  );
}
