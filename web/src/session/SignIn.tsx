import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import Form from "@cloudscape-design/components/form";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useCallback, useEffect, useState } from "react";
import { Problem } from "../api/problem";
import { Loading } from "../parts/Loading";
import { codeWaits, onCode, takeCode } from "./code";
import { signInWithCode, signInWithKey } from "./keys";
import { sessionIsOver } from "./session";

/** The page for whoever is not signed in. It stays at the address that was asked for. */
export default function SignIn() {
  const [keyId, setKeyId] = useState("");
  const [secret, setSecret] = useState("");
  const [busy, setBusy] = useState(codeWaits);
  const [problem, setProblem] = useState<Problem>();

  const run = useCallback(async (signIn: () => Promise<void>) => {
    setBusy(true);
    setProblem(undefined);
    try {
      await signIn();
    } catch (e) {
      setProblem(Problem.of(e));
      setBusy(false);
    }
  }, []);
  useEffect(() => {
    document.title = "Sign in · Slipway";
    const use = () => {
      const code = takeCode();
      if (code !== undefined) void run(() => signInWithCode(code));
    };
    use();
    return onCode(use);
  }, [run]);

  if (busy && keyId === "") return <Loading what="your session" minHeight={400} />;
  return (
    <main style={{ maxWidth: 560, margin: "8vh auto", padding: "0 16px" }}>
      <SpaceBetween size="l">
        <Box variant="h1" textAlign="center">
          Slipway
        </Box>
        {problem === undefined && sessionIsOver() && (
          <Alert type="info" header="Your session is over">
            Sign in again, and you are back at this page. What you had typed on it is gone.
          </Alert>
        )}
        {problem !== undefined && (
          <Alert type="error" header="Could not sign in">
            {problem.message}
          </Alert>
        )}
        <Container header={<Header variant="h2">Sign in with a link</Header>}>
          <Box variant="p">
            On the machine that runs the server, run <Box variant="code">slipway console</Box> and open the link that it prints. It is good for one sign-in.
          </Box>
        </Container>
        <ExpandableSection headerText="Sign in with an access key" variant="container" defaultExpanded={problem !== undefined}>
          <form
            onSubmit={(e) => {
              e.preventDefault();
              void run(async () => {
                await signInWithKey(keyId.trim(), secret.trim());
                setSecret("");
              });
            }}
          >
            <Form
              actions={
                <Button variant="primary" loading={busy} disabled={keyId.trim() === "" || secret.trim() === ""}>
                  Sign in
                </Button>
              }
            >
              <SpaceBetween size="m">
                <FormField label="Access key ID" description="One that 'slipway env' prints.">
                  <Input value={keyId} onChange={(e) => setKeyId(e.detail.value)} autoComplete="username" spellcheck={false} />
                </FormField>
                <FormField label="Secret access key" description="It is used once, for keys that last an hour, and not kept.">
                  <Input value={secret} type="password" onChange={(e) => setSecret(e.detail.value)} autoComplete="off" spellcheck={false} />
                </FormField>
              </SpaceBetween>
            </Form>
          </form>
        </ExpandableSection>
      </SpaceBetween>
    </main>
  );
}
