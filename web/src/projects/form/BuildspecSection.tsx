import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import RadioGroup from "@cloudscape-design/components/radio-group";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { lazy, Suspense } from "react";
import { Loading } from "../../parts/Loading";
import { sample } from "../buildspec";
import { usePart, useProjectForm } from "./context";
import { Field } from "./Field";

const BuildspecEditor = lazy(() => import("./BuildspecEditor"));

/** Where the commands of a build stand. */
export function BuildspecSection() {
  const { form } = useProjectForm();
  const [buildspec, change] = usePart("buildspec");
  const none = form.source.type === "NO_SOURCE";
  return (
    <Container header={<Header variant="h2">Buildspec</Header>}>
      <SpaceBetween size="l">
        <RadioGroup
          ariaLabel="Build specifications"
          value={buildspec.kind}
          onChange={({ detail }) =>
            change(detail.value === "inline" ? { kind: "inline", inline: buildspec.inline === "" ? sample : buildspec.inline } : { kind: "file" })
          }
          items={[
            { value: "file", label: "Use a buildspec file", description: "It is kept with the source, in YAML.", disabled: none },
            { value: "inline", label: "Insert build commands", description: "The buildspec is kept with the project." },
          ]}
        />
        {buildspec.kind === "file" ? (
          <Field
            member="source.buildspec"
            optional
            description={none ? "Without a source there is no file: insert the build commands." : "The path below the root of the source. Empty means buildspec.yml."}
          >
            <Input value={buildspec.file} placeholder="buildspec.yml" spellcheck={false} disabled={none} onChange={({ detail }) => change({ file: detail.value })} />
          </Field>
        ) : (
          <Suspense fallback={<Loading what="editor" minHeight={320} />}>
            <BuildspecEditor value={buildspec.inline} onChange={(inline) => change({ inline })} />
          </Suspense>
        )}
      </SpaceBetween>
    </Container>
  );
}
