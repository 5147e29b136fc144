import BarChart from "@cloudscape-design/components/bar-chart";
import ColumnLayout from "@cloudscape-design/components/column-layout";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import type { DayStatistics } from "../api/slipway.gen";
import { Empty } from "../parts/Empty";
import { duration, shortDay } from "../parts/time";
import { everyDay } from "./statistics";

/** Builds by day and outcome, and how long they took. */
export default function Charts({ days, span }: { days: readonly DayStatistics[]; span: number }) {
  const all = everyDay(days, span);
  const series = (of: (d: DayStatistics) => number | undefined) => all.map((d) => ({ x: shortDay(d.day), y: of(d) ?? 0 }));
  return (
    <ColumnLayout columns={2}>
      <Container header={<Header variant="h2">Builds a day</Header>}>
        <BarChart
          stackedBars
          hideFilter
          height={220}
          ariaLabel="Builds a day by outcome"
          xTitle="Day (UTC)"
          yTitle="Builds"
          xScaleType="categorical"
          xDomain={all.map((d) => shortDay(d.day))}
          series={[
            { title: "Succeeded", type: "bar", color: "var(--chart-succeeded)", data: series((d) => d.succeeded) },
            { title: "Failed", type: "bar", color: "var(--chart-failed)", data: series((d) => d.failed) },
            { title: "Stopped", type: "bar", color: "var(--chart-other)", data: series((d) => d.other) },
          ]}
          empty={<Empty title="No builds in this time" />}
        />
      </Container>
      <Container header={<Header variant="h2">Duration of succeeded builds</Header>}>
        <BarChart
          hideFilter
          height={220}
          ariaLabel="Duration of succeeded builds by day"
          xTitle="Day (UTC)"
          yTitle="Duration"
          xScaleType="categorical"
          xDomain={all.map((d) => shortDay(d.day))}
          yTickFormatter={duration}
          series={[
            { title: "Median", type: "bar", data: series((d) => d.medianSeconds), valueFormatter: duration },
            { title: "9 of 10 within", type: "bar", data: series((d) => d.p90Seconds), valueFormatter: duration },
          ]}
          empty={<Empty title="No builds in this time" />}
        />
      </Container>
    </ColumnLayout>
  );
}
