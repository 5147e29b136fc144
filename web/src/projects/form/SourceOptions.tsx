import Checkbox from "@cloudscape-design/components/checkbox";
import Input from "@cloudscape-design/components/input";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { ServerType } from "../../api/slipway.gen";
import { selfHosted } from "../providers";
import { usePart } from "./context";
import { Field } from "./Field";
import { More } from "./More";

const depths = ["1", "5", "10", "25"].map((value) => ({ value, label: value }));
const full = { value: "", label: "Full" };

/** How the source is fetched, and what the provider hears of builds. */
export function SourceOptions({ server }: { server: ServerType }) {
  const [source, change] = usePart("source");
  const options = [...depths, full];
  const now = source.cloneDepth === "0" ? full : (options.find((o) => o.value === source.cloneDepth) ?? { value: source.cloneDepth, label: source.cloneDepth });
  return (
    <More members={["source.gitCloneDepth", "source.gitSubmodulesConfig", "source.reportBuildStatus", "source.buildStatusConfig.context", "source.buildStatusConfig.targetUrl"]} description="Git clone depth, submodules, build status">
      <SpaceBetween size="l">
        <Field member="source.gitCloneDepth" description="How many commits of the history are fetched.">
          <Select selectedOption={now} options={options} onChange={({ detail }) => change({ cloneDepth: detail.selectedOption.value ?? "" })} />
        </Field>
        <Field member="source.gitSubmodulesConfig">
          <Checkbox checked={source.submodules} onChange={({ detail }) => change({ submodules: detail.checked })}>
            Use Git submodules
          </Checkbox>
        </Field>
        <Field member="source.reportBuildStatus">
          <Checkbox
            checked={source.reportStatus}
            onChange={({ detail }) => change({ reportStatus: detail.checked })}
            description="The commit at the provider shows whether its build succeeded. Builds that a webhook starts report always."
          >
            Report build statuses to the source provider when your builds start and finish
          </Checkbox>
        </Field>
        <Field member="source.buildStatusConfig.context" optional description="How the status is called at the provider. Variables of the build may stand in it.">
          <Input value={source.statusContext} onChange={({ detail }) => change({ statusContext: detail.value })} />
        </Field>
        <Field member="source.buildStatusConfig.targetUrl" optional description="Where the status leads. Empty means the page of the build here.">
          <Input value={source.statusUrl} inputMode="url" onChange={({ detail }) => change({ statusUrl: detail.value })} />
        </Field>
        {(selfHosted(server) || source.insecureSsl) && (
          <Field member="source.insecureSsl">
            <Checkbox
              checked={source.insecureSsl}
              onChange={({ detail }) => change({ insecureSsl: detail.checked })}
              description="Whoever is between here and the host could read the token. Import the credential with the host's CA certificate instead, if you can."
            >
              Ignore TLS certificate errors (insecure)
            </Checkbox>
          </Field>
        )}
      </SpaceBetween>
    </More>
  );
}
