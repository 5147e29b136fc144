import { useMemo } from "react";
import { paths } from "../app/navigate";
import { useBuild } from "../builds/useBuild";
import { AppButton } from "../parts/AppButton";
import { fileName } from "./download";
import { LogPane } from "./LogPane";
import { serverSource } from "./server";

/** The log of a build, with line as the place to start unless the address has one. */
export function LogViewer({ buildId, height = 480, line }: { buildId: string; height?: number; line?: number }) {
  return <BuildLog key={buildId} buildId={buildId} height={`${height}px`} line={line} embedded />;
}

/** The log of a build; embedded in a page of something else it leads to its own. */
export function BuildLog({ buildId, height, line, embedded = false }: { buildId: string; height: string; line?: number | undefined; embedded?: boolean }) {
  const source = useMemo(() => serverSource(buildId), [buildId]);
  const build = useBuild(buildId).data;
  return (
    <LogPane
      source={source}
      build={build}
      height={height}
      fileName={fileName(buildId, build?.buildNumber)}
      line={line}
      extra={embedded && <AppButton to={paths.buildLog(buildId)} iconName="expand" ariaLabel="Open the log on a page of its own" />}
    />
  );
}
