import ColumnLayout from "@cloudscape-design/components/column-layout";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import type { DayStatistics } from "../api/slipway.gen";
import { Empty } from "../parts/Empty";
import { duration } from "../parts/time";
import { DayChart } from "./DayChart";
import { everyDay } from "./statistics";

/** Builds by day and outcome, and how long they took. */
export function Charts({ days, span }: { days: readonly DayStatistics[]; span: number }) {
  const all = everyDay(days, span);
  const names = all.map((d) => d.day);
  const values = (of: (d: DayStatistics) => number | undefined) => all.map((d) => of(d) ?? 0);
  return (
    <ColumnLayout columns={2}>
      <Container fitHeight header={<Header variant="h2">Builds a day</Header>}>
        <DayChart
          stacked
          label="Builds a day by outcome"
          unit="Builds, days in UTC"
          of="counts"
          days={names}
          series={[
            { title: "Succeeded", colour: "var(--chart-succeeded)", values: values((d) => d.succeeded) },
            { title: "Failed", colour: "var(--chart-failed)", values: values((d) => d.failed) },
            { title: "Stopped", colour: "var(--chart-other)", values: values((d) => d.other) },
          ]}
        />
      </Container>
      <Container fitHeight header={<Header variant="h2">Duration of succeeded builds</Header>}>
        {all.some((d) => (d.succeeded ?? 0) > 0) ? (
          <DayChart
            label="Duration of succeeded builds by day"
            unit="Duration, days in UTC"
            of="seconds"
            format={duration}
            days={names}
            series={[
              { title: "Median", colour: "var(--chart-median)", values: values((d) => d.medianSeconds) },
              { title: "9 of 10 within", colour: "var(--chart-most)", values: values((d) => d.p90Seconds) },
            ]}
          />
        ) : (
          <Empty title="No succeeded builds in this time" />
        )}
      </Container>
    </ColumnLayout>
  );
}
