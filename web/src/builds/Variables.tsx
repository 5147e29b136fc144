import type { Build, EnvironmentVariable, ExportedEnvironmentVariable } from "@aws-sdk/client-codebuild";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { Empty } from "../parts/Empty";
import styles from "./builds.module.css";

const elsewhere: Readonly<Record<string, string>> = { PARAMETER_STORE: "Kept in Parameter Store", SECRETS_MANAGER: "Kept in Secrets Manager" };

/** The variables that a build exported, and those it was given. Of secrets only the names are shown. */
export function Variables({ build }: { build: Build }) {
  return (
    <SpaceBetween size="l">
      <Table<ExportedEnvironmentVariable>
        variant="embedded"
        header={<Header variant="h3">Exported variables</Header>}
        ariaLabels={{ tableLabel: "Exported variables" }}
        items={build.exportedEnvironmentVariables ?? []}
        columnDefinitions={[
          { id: "name", header: "Name", isRowHeader: true, cell: (v) => v.name ?? "", minWidth: 180 },
          { id: "value", header: "Value", cell: (v) => <span className={styles["message"]}>{v.value}</span>, minWidth: 220 },
        ]}
        empty={<Empty title="No exported variables">Variables that the buildspec lists under env/exported-variables are here once the build has ended, with their values.</Empty>}
      />
      <Table<EnvironmentVariable>
        variant="embedded"
        header={<Header variant="h3">Environment variables</Header>}
        ariaLabels={{ tableLabel: "Environment variables" }}
        items={build.environment?.environmentVariables ?? []}
        columnDefinitions={[
          { id: "name", header: "Name", isRowHeader: true, cell: (v) => v.name ?? "", minWidth: 180 },
          {
            id: "value",
            header: "Value",
            cell: (v) => (plain(v) ? <span className={styles["message"]}>{v.value}</span> : (elsewhere[v.type ?? ""] ?? "Not shown")),
            minWidth: 220,
          },
          { id: "type", header: "Type", cell: (v) => v.type ?? "PLAINTEXT", minWidth: 150 },
        ]}
        empty={<Empty title="No environment variables">The build was given none, neither by its project nor when it was started.</Empty>}
      />
    </SpaceBetween>
  );
}

function plain(v: EnvironmentVariable): boolean {
  return v.type === undefined || v.type === "PLAINTEXT";
}
