import type { Build } from "@aws-sdk/client-codebuild";
import FormField from "@cloudscape-design/components/form-field";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useSearchParams } from "wouter";
import { ArtifactFolder } from "./ArtifactFolder";
import { artifactsOf } from "./artifact";

/** What a build uploaded: its artifacts, their folders, and the way to download them. */
export function Artifacts({ build }: { build: Build }) {
  const [search, setSearch] = useSearchParams();
  const all = artifactsOf(build);
  const chosen = all.find((a) => a.identifier === (search.get("artifact") ?? "")) ?? all[0];
  const folder = search.get("folder") ?? "";
  const go = (to: { artifact?: string; folder: string }) =>
    setSearch((now) => {
      const next = new URLSearchParams(now);
      for (const [name, value] of Object.entries(to)) {
        if (value === "") next.delete(name);
        else next.set(name, value);
      }
      return next;
    });
  if (chosen === undefined) return null;
  return (
    <SpaceBetween size="m">
      {all.length > 1 && (
        <FormField label="Artifact">
          <Select
            selectedOption={{ value: chosen.identifier, label: chosen.name }}
            options={all.map((a) => ({ value: a.identifier, label: a.name }))}
            onChange={({ detail }) => go({ artifact: detail.selectedOption.value ?? "", folder: "" })}
          />
        </FormField>
      )}
      <ArtifactFolder key={chosen.identifier} build={build} artifact={chosen} folder={folder} onFolder={(to) => go({ folder: to })} />
    </SpaceBetween>
  );
}
