import Box from "@cloudscape-design/components/box";
import ColumnLayout from "@cloudscape-design/components/column-layout";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { paths } from "../app/navigate";
import { AppButton } from "../parts/AppButton";

/** The way from an empty server to a build. */
export function FirstSteps({ connected }: { connected: boolean }) {
  return (
    <Container header={<Header variant="h2">First steps</Header>}>
      <ColumnLayout columns={3} borders="vertical">
        <SpaceBetween size="s">
          <Box variant="h3">1. Connect a source provider</Box>
          <Box>Import an access token of GitHub, GitHub Enterprise Server, Bitbucket or GitLab. Slipway says at once what it can and cannot do.</Box>
          <AppButton variant={connected ? "normal" : "primary"} to={paths.connect()}>
            {connected ? "Connect another" : "Connect"}
          </AppButton>
        </SpaceBetween>
        <SpaceBetween size="s">
          <Box variant="h3">2. Create a build project</Box>
          <Box>Choose a repository; its buildspec says what to do. With a webhook, each push starts a build.</Box>
          <AppButton variant={connected ? "primary" : "normal"} to={paths.newProject()}>
            Create build project
          </AppButton>
        </SpaceBetween>
        <SpaceBetween size="s">
          <Box variant="h3">3. Watch it build</Box>
          <Box>Follow the log live here, or with the AWS CLI.</Box>
          <Box variant="code">eval "$(slipway env)"; aws codebuild list-builds</Box>
        </SpaceBetween>
      </ColumnLayout>
    </Container>
  );
}
