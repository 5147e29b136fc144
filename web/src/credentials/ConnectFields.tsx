import Box from "@cloudscape-design/components/box";
import DatePicker from "@cloudscape-design/components/date-picker";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import RadioGroup from "@cloudscape-design/components/radio-group";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState, type ReactNode } from "react";
import type { CredentialSummary, ServerType } from "../api/slipway.gen";
import { CertificateField } from "./CertificateField";
import type { Draft, Faults } from "./draft";
import { methodOf, methodsOf, referenceCommand, selfHosted } from "./providers";

/** The fields of a token and of what it is for. */
export function ConnectFields({
  serverType,
  replaces,
  draft,
  onDraft,
  token,
  onToken,
  faults,
  disabled,
  onEnter,
}: {
  serverType: ServerType;
  replaces: CredentialSummary | undefined;
  draft: Draft;
  onDraft: (draft: Draft) => void;
  token: string;
  onToken: (token: string) => void;
  faults: Faults;
  disabled: boolean;
  onEnter: () => void;
}) {
  const method = methodOf(serverType, draft.method);
  const set = (change: Partial<Draft>) => onDraft({ ...draft, ...change });
  const text = (field: Exclude<keyof Draft, "method" | "expires" | "caBundle">, placeholder?: string) => (
    <Input
      value={draft[field]}
      onChange={(e) => set({ [field]: e.detail.value })}
      disabled={disabled}
      autoComplete={false}
      spellcheck={false}
      {...(placeholder === undefined ? {} : { placeholder })}
    />
  );
  return (
    <SpaceBetween size="l">
      <FormField label="Repository">
        <RadioGroup
          ariaLabel="Repository"
          value={method.id}
          onChange={(e) => set({ method: e.detail.value })}
          items={methodsOf(serverType).map((m) => ({ value: m.id, label: m.label, description: m.description, disabled }))}
        />
      </FormField>
      {selfHosted(serverType) && (
        <FormField
          label="Host"
          description={
            replaces === undefined
              ? "Where the server is, as in a repository's address. The token is sent nowhere else. Several are separated by commas."
              : "Leave it as it is to keep it. The token is sent nowhere else."
          }
          errorText={faults.host}
        >
          {text("host", serverType === "GITHUB_ENTERPRISE" ? "ghe.example.com" : "gitlab.example.com")}
        </FormField>
      )}
      {method.username !== undefined && (
        <FormField
          label={
            method.username.required ? (
              method.username.label
            ) : (
              <span>
                {method.username.label} <i>- optional</i>
              </span>
            )
          }
          description={method.username.description}
          errorText={faults.username}
        >
          {text("username")}
        </FormField>
      )}
      <FormField label={method.tokenLabel} description="It is stored encrypted and never shown again, not even in part." errorText={faults.token}>
        <Input
          type="password"
          value={token}
          onChange={(e) => onToken(e.detail.value)}
          onKeyDown={(e) => {
            if (e.detail.key !== "Enter") return;
            e.preventDefault(); // the form around this one is not to be sent
            onEnter();
          }}
          disabled={disabled}
          autoComplete="off"
          spellcheck={false}
        />
      </FormField>
      {selfHosted(serverType) && <CertificateField value={draft.caBundle} onChange={(caBundle) => set({ caBundle })} fault={faults.caBundle} replaces={replaces !== undefined} disabled={disabled} />}
      <WhereFields serverType={serverType} replaces={replaces} draft={draft} set={set} text={text} faults={faults} disabled={disabled} />
    </SpaceBetween>
  );
}

/** The name of a credential and for what it is, for whoever has several. */
function WhereFields({
  serverType,
  replaces,
  draft,
  set,
  text,
  faults,
  disabled,
}: {
  serverType: ServerType;
  replaces: CredentialSummary | undefined;
  draft: Draft;
  set: (change: Partial<Draft>) => void;
  text: (field: "name" | "matchHost" | "matchOwner" | "matchRepository", placeholder?: string) => ReactNode;
  faults: Faults;
  disabled: boolean;
}) {
  const [opened, setOpened] = useState(replaces?.name !== undefined);
  const matches = replaces === undefined || draft.name !== ""; // the default serves what no other one matches
  const faulty = faults.name !== undefined || faults.expires !== undefined;
  return (
    <ExpandableSection
      headerText="Name and where it applies - optional"
      headerDescription="To hold several credentials for one provider."
      expanded={opened || faulty}
      onChange={(e) => setOpened(e.detail.expanded)}
    >
      <SpaceBetween size="m">
        <FormField
          label="Name"
          description={
            replaces === undefined
              ? "Without a name it is the account's default for this provider: it serves whatever no other credential is for."
              : "The credential whose token is replaced. It cannot be renamed."
          }
          errorText={faults.name}
        >
          {replaces === undefined ? text("name", "acme-deploy") : <Input value={draft.name === "" ? "The account's default" : draft.name} readOnly />}
        </FormField>
        {matches && selfHosted(serverType) && (
          <FormField label="Host pattern" description="Hosts that it is for. * stands for any text.">
            {text("matchHost", "*.example.com")}
          </FormField>
        )}
        {matches && (
          <FormField label="Owner pattern" description="Owners, organizations, workspaces or groups that it is for. * stands for any text.">
            {text("matchOwner", "acme")}
          </FormField>
        )}
        {matches && (
          <FormField label="Repository pattern" description="Repositories that it is for. The most specific credential that fits wins.">
            {text("matchRepository", "app-*")}
          </FormField>
        )}
        <FormField label="Expires" description="The day on which the token expires, if the provider does not tell." constraintText="YYYY/MM/DD" errorText={faults.expires}>
          <DatePicker
            value={draft.expires}
            onChange={(e) => set({ expires: e.detail.value })}
            isDateEnabled={(day) => day.getTime() > Date.now()}
            placeholder="YYYY/MM/DD"
            i18nStrings={{
              openCalendarAriaLabel: (day) => (day === null ? "Choose the day" : `Choose the day, ${day} is chosen`),
              previousMonthAriaLabel: "Previous month",
              nextMonthAriaLabel: "Next month",
              todayAriaLabel: "Today",
            }}
            disabled={disabled}
          />
        </FormField>
        <Box color="text-body-secondary" fontSize="body-s">
          What AWS holds in place of a token, the ARN of a Secrets Manager secret or of a connection, is imported on the command line, from a file with the ARN:{" "}
          <Box variant="code">{referenceCommand(serverType, "SECRETS_MANAGER")}</Box> or <Box variant="code">{referenceCommand(serverType, "CODECONNECTIONS")}</Box>
        </Box>
      </SpaceBetween>
    </ExpandableSection>
  );
}
