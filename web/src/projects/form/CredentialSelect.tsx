import Select, { type SelectProps } from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { CredentialSummary } from "../../api/slipway.gen";
import { paths } from "../../app/navigate";
import { AppLink } from "../../parts/AppLink";
import { authOf, holderOf } from "../providers";
import { usePart } from "./context";
import { Field } from "./Field";

/** Which credential the source signs in with: the account's choice, or a named one. */
export function CredentialSelect({ held }: { held: readonly CredentialSummary[] }) {
  const [source, change] = usePart("source");
  const named = source.auth === "SECRETS_MANAGER" || source.auth === "CODECONNECTIONS";
  const options: SelectProps.Option[] = [
    { value: "", label: "Default source credential", description: "The account's own for this provider, or the named one that is for this repository." },
    ...held.flatMap((c) => {
      const auth = authOf(c);
      return auth === undefined ? [] : [{ value: auth.authResource, label: c.name ?? c.arn, description: stateOf(c) }];
    }),
  ];
  const now = named ? holderOf(source, held) : undefined;
  const value = now === undefined ? (named ? source.authResource : "") : (authOf(now)?.authResource ?? source.authResource);
  const selected = options.find((o) => o.value === value) ?? { value, label: value };
  return (
    <Field
      member="source.auth"
      description={
        <SpaceBetween size="xxs">
          <span>A named credential is used for this project whatever else fits.</span>
          {now !== undefined && <AppLink to={paths.sourceProvider(now.arn)}>What {now.name ?? "it"} can do</AppLink>}
        </SpaceBetween>
      }
    >
      <Select
        selectedOption={selected}
        options={options}
        triggerVariant="option"
        onChange={({ detail }) => {
          const to = held.map(authOf).find((a) => a !== undefined && a.authResource === detail.selectedOption.value);
          change(to ?? { auth: "OAUTH", authResource: "" });
        }}
      />
    </Field>
  );
}

function stateOf({ health, arn }: CredentialSummary): string {
  switch (health?.state) {
    case "VALID":
      return `${health.owner ?? arn}: works`;
    case "LIMITED":
      return `${health.owner ?? arn}: lacks some permissions`;
    case "INVALID":
    case "EXPIRED":
      return health.message ?? "Does not work";
    default:
      return arn;
  }
}
