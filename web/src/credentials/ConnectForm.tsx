import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import Grid from "@cloudscape-design/components/grid";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useEffect, useRef, useState } from "react";
import { slipway } from "../api/slipway";
import type { CredentialSummary, ImportCredentialOutput, ServerType } from "../api/slipway.gen";
import { ProblemAlert } from "../parts/ProblemAlert";
import { CheckCard, type Check } from "./CheckCard";
import { ConnectFields } from "./ConnectFields";
import { draftOf, faultsOf, hostSoFar, requestOf, type Faults } from "./draft";
import { methodOf, providerName, selfHosted } from "./providers";
import { useCredentialsChanged } from "./queries";
import { ReplaceModal } from "./ReplaceModal";
import { save } from "./save";
import { TokenGuide } from "./TokenGuide";

/**
 * Takes a token for a source provider, stores it and shows what it can do. It is
 * no HTML form, so that it can stand within one. onConnected is called once the
 * token is stored, whatever the provider says of it; the check is shown after
 * that, for as long as this stays.
 */
export function ConnectForm({
  serverType,
  replaces,
  onConnected,
}: {
  serverType: ServerType;
  /** The credential that gets another token; that of its server type. */
  replaces?: CredentialSummary;
  onConnected: (credential: { arn: string; name?: string }) => void;
}) {
  return <KeyedForm key={`${serverType} ${replaces?.arn ?? ""}`} serverType={serverType} replaces={replaces} onConnected={onConnected} />;
}

/** What is asked before a token is replaced. */
interface Question {
  readonly would: ImportCredentialOutput;
  readonly answer: (yes: boolean) => void;
}

function KeyedForm({
  serverType,
  replaces,
  onConnected,
}: {
  serverType: ServerType;
  replaces: CredentialSummary | undefined;
  onConnected: (credential: { arn: string; name?: string }) => void;
}) {
  const [draft, setDraft] = useState(() => draftOf(serverType, replaces));
  const [token, setToken] = useState("");
  const [faults, setFaults] = useState<Faults>({});
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [kept, setKept] = useState(false);
  const [question, setQuestion] = useState<Question>();
  const [check, setCheck] = useState<Check>();
  const changed = useCredentialsChanged();
  const open = useRef<Question>(undefined);
  const fields = useRef<HTMLDivElement>(null);
  useEffect(() => fields.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus(), [faults]);
  useEffect(() => () => open.current?.answer(false), []); // lets go of the token of a question that nobody answers any more

  const ask = (would: ImportCredentialOutput) =>
    new Promise<boolean>((resolve) => {
      const answer = (yes: boolean) => {
        open.current = undefined;
        setQuestion(undefined);
        resolve(yes);
      };
      open.current = { would, answer };
      setQuestion(open.current);
    });

  const verify = async (arn: string, name: string) => {
    const about = { arn, ...(name === "" ? {} : { name }) };
    setCheck({ ...about, state: "asking" });
    try {
      const { credential } = await slipway("VerifyCredential", { credential: arn });
      setCheck({ ...about, state: "done", credential });
    } catch (e) {
      setCheck({ ...about, state: "failed", error: e });
    }
    changed();
  };

  const submit = async () => {
    const found = faultsOf(serverType, draft, token, replaces !== undefined);
    setFaults(found);
    if (Object.keys(found).length > 0 || busy) return;
    const input = requestOf(serverType, draft, token);
    setToken(""); // from here on it is in input alone
    setError(undefined);
    setKept(false);
    setBusy(true);
    try {
      const stored = await save(input, replaces !== undefined, ask);
      if (stored?.arn === undefined) {
        setKept(true);
        return;
      }
      const name = draft.name.trim();
      onConnected({ arn: stored.arn, ...(name === "" ? {} : { name }) });
      void verify(stored.arn, name);
    } catch (e) {
      setError(e);
    } finally {
      setBusy(false);
    }
  };

  const method = methodOf(serverType, draft.method);
  if (check !== undefined) {
    return (
      <CheckCard
        check={check}
        serverType={serverType}
        onAgain={() => void verify(check.arn, check.name ?? "")}
        onReplace={() => {
          setCheck(undefined);
          setDraft((d) => ({ ...d, expires: "" }));
        }}
      />
    );
  }
  return (
    <>
      <Grid gridDefinition={[{ colspan: { default: 12, xs: 7 } }, { colspan: { default: 12, xs: 5 } }]}>
        <SpaceBetween size="l">
          <div ref={fields}>
            <ConnectFields
              serverType={serverType}
              replaces={replaces}
              draft={draft}
              onDraft={setDraft}
              token={token}
              onToken={setToken}
              faults={faults}
              disabled={busy}
              onEnter={() => void submit()}
            />
          </div>
          <ProblemAlert error={error} doing="save the token" />
          {error !== undefined && <Alert type="info">The token was dropped. To try again, enter it once more.</Alert>}
          {kept && <Alert type="info">Nothing was changed, and the new token was dropped.</Alert>}
          <Button variant="primary" formAction="none" loading={busy} loadingText={`Asking ${providerName(serverType)}`} onClick={() => void submit()}>
            {method.save}
          </Button>
        </SpaceBetween>
        <TokenGuide serverType={serverType} authType={method.authType} host={selfHosted(serverType) ? hostSoFar(draft.host) : undefined} />
      </Grid>
      {question !== undefined && <ReplaceModal would={question.would} onAnswer={question.answer} />}
    </>
  );
}
