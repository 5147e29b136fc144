import Alert from "@cloudscape-design/components/alert";
import Autosuggest from "@cloudscape-design/components/autosuggest";
import Checkbox from "@cloudscape-design/components/checkbox";
import ColumnLayout from "@cloudscape-design/components/column-layout";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQuery } from "@tanstack/react-query";
import { computeName, computeTypes, environmentName, environmentTypes, images } from "../environment";
import { serverQuery } from "../queries";
import { usePart, useProjectForm } from "./context";
import { Field } from "./Field";
import { More } from "./More";
import { VariablesEditor } from "./VariablesEditor";

/** What a build runs in. */
export function EnvironmentSection() {
  const { form, patch } = useProjectForm();
  const [environment, change] = usePart("environment");
  const { data } = useQuery(serverQuery);
  const types = environmentTypes.map((value) => ({ value, label: environmentName(value) }));
  const computes = computeTypes(environment.type).map((value) => ({ value, label: computeName(value), description: value }));
  const isLocal = data?.runner === "local";
  return (
    <Container header={<Header variant="h2">Environment</Header>}>
      <SpaceBetween size="l">
        {isLocal && environment.image !== "local" && environment.image !== "" && (
          <Alert type="info">Builds of this server use the tools that are installed on its own machine. It records the image and does not run it.</Alert>
        )}
        <Field member="environment.image" description="local stands for the server's own machine. Any other is the name of a container image.">
          <Autosuggest
            value={environment.image}
            options={images.map(([value, description]) => ({ value, description }))}
            enteredTextLabel={(value) => `Use "${value}"`}
            onChange={({ detail }) => change({ image: detail.value })}
          />
        </Field>
        <ColumnLayout columns={2}>
          <Field member="environment.type">
            <Select
              selectedOption={types.find((t) => t.value === environment.type) ?? { value: environment.type, label: environment.type }}
              options={types}
              onChange={({ detail }) => {
                const type = environmentTypes.find((t) => t === detail.selectedOption.value);
                if (type === undefined) return;
                const fit = computeTypes(type);
                change({ type, computeType: fit.includes(environment.computeType) ? environment.computeType : (fit[0] ?? environment.computeType) });
              }}
            />
          </Field>
          <Field member="environment.computeType">
            <Select
              selectedOption={{ value: environment.computeType, label: computeName(environment.computeType) }}
              options={computes}
              onChange={({ detail }) => {
                const type = computeTypes(environment.type).find((t) => t === detail.selectedOption.value);
                if (type !== undefined) change({ computeType: type });
              }}
            />
          </Field>
        </ColumnLayout>
        <Field member="serviceRole" description="The ARN of an IAM role. Slipway records it and assumes no roles: any name of this account does.">
          <Input value={form.serviceRole} spellcheck={false} onChange={({ detail }) => patch({ serviceRole: detail.value })} />
        </Field>
        <VariablesEditor />
        <More members={["timeoutInMinutes", "queuedTimeoutInMinutes", "environment.privilegedMode"]} description="Timeouts, privileged mode">
          <SpaceBetween size="l">
            <ColumnLayout columns={2}>
              <Field member="timeoutInMinutes" description="After so many minutes a build is stopped." constraintText="5 to 2160 minutes.">
                <Input type="number" inputMode="numeric" value={form.timeout} onChange={({ detail }) => patch({ timeout: detail.value })} />
              </Field>
              <Field member="queuedTimeoutInMinutes" description="A build that has waited so many minutes is given up." constraintText="5 to 480 minutes.">
                <Input type="number" inputMode="numeric" value={form.queuedTimeout} onChange={({ detail }) => patch({ queuedTimeout: detail.value })} />
              </Field>
            </ColumnLayout>
            <Field member="environment.privilegedMode">
              <Checkbox checked={environment.privileged} onChange={({ detail }) => change({ privileged: detail.checked })}>
                Enable this flag if you want to build Docker images or want your builds to get elevated privileges
              </Checkbox>
            </Field>
          </SpaceBetween>
        </More>
      </SpaceBetween>
    </Container>
  );
}
