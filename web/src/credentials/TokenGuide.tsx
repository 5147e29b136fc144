import Alert from "@cloudscape-design/components/alert";
import Badge from "@cloudscape-design/components/badge";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQuery } from "@tanstack/react-query";
import type { AuthType, ServerType, TokenKindGuide } from "../api/slipway.gen";
import { linkHost, webLink } from "../parts/link";
import { Loading } from "../parts/Loading";
import { ProblemAlert } from "../parts/ProblemAlert";
import { importCommand, methodsOf, providerName, selfHosted } from "./providers";
import { tokenKindsQuery } from "./queries";

/** How to make the right token: the kinds that the provider has, what each must be allowed, and the page where it is made. */
export function TokenGuide({ serverType, authType, host }: { serverType: ServerType; authType: AuthType; host: string | undefined }) {
  const { data, error, refetch, isPending } = useQuery(tokenKindsQuery(serverType, host));
  const kinds = data?.kinds ?? [];
  const fitting = kinds.filter((k) => k.authType === authType);
  const others = kinds.filter((k) => k.authType !== authType);
  const method = methodsOf(serverType).find((m) => m.authType === authType) ?? methodsOf(serverType)[0];
  return (
    <Container header={<Header variant="h3">How to make the right token</Header>}>
      <SpaceBetween size="m">
        {serverType === "BITBUCKET" && <Alert type="info">CodeBuild does not support Bitbucket Server.</Alert>}
        {isPending && <Loading what="the kinds of tokens" minHeight={320} />}
        <ProblemAlert error={error} doing="load the kinds of tokens" retry={() => void refetch()} />
        {fitting.map((kind, i) => (
          <Kind key={kind.kind} guide={kind} serverType={serverType} opened={i === 0} />
        ))}
        {others.length > 0 && (
          <>
            <Box variant="h4">With the other way to connect</Box>
            {others.map((kind) => (
              <Kind key={kind.kind} guide={kind} serverType={serverType} opened={false} />
            ))}
          </>
        )}
        <Box color="text-body-secondary" fontSize="body-s">
          The same on the command line, with the token in a file: <Box variant="code">{importCommand(serverType, method)}</Box>
        </Box>
      </SpaceBetween>
    </Container>
  );
}

function Kind({ guide, serverType, opened }: { guide: TokenKindGuide; serverType: ServerType; opened: boolean }) {
  const link = webLink(guide.link);
  const scopes = guide.scopes ?? [];
  const where = link !== undefined && selfHosted(serverType) ? linkHost(link) : providerName(serverType);
  return (
    <ExpandableSection
      defaultExpanded={opened}
      headerText={
        <>
          {guide.title} {guide.recommended === true && <Badge color="green">Recommended</Badge>}
        </>
      }
    >
      <SpaceBetween size="s">
        {guide.note !== undefined && guide.note !== "" && <Box>{guide.note}</Box>}
        {guide.usernameLabel !== undefined && guide.usernameLabel !== "" && <Box>It goes with: {guide.usernameLabel}</Box>}
        {scopes.length > 0 && (
          <dl aria-label={`Scopes of ${guide.title}`} style={{ margin: 0 }}>
            {scopes.map((s) => (
              <div key={s.scope} style={{ marginBlockEnd: 6 }}>
                <dt>
                  <Box variant="code">{s.scope}</Box>
                </dt>
                <dd style={{ marginInlineStart: 0 }}>{s.why}</dd>
              </div>
            ))}
          </dl>
        )}
        {link !== undefined && (
          <Button href={link} external formAction="none" ariaLabel={`Create this token at ${where}: ${guide.title} (opens ${linkHost(link)} in a new tab)`}>
            Create this token at {where}
          </Button>
        )}
      </SpaceBetween>
    </ExpandableSection>
  );
}
