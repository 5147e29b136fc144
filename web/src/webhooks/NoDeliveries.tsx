import { useQuery } from "@tanstack/react-query";
import { slipway } from "../api/slipway";
import type { DescribeServerOutput } from "../api/slipway.gen";
import { paths } from "../app/navigate";
import { AppButton } from "../parts/AppButton";
import { Empty } from "../parts/Empty";

/** Says what a delivery is and how the first one comes. */
export function NoDeliveries({ projectName }: { projectName: string }) {
  const server = useQuery({ queryKey: ["server"], queryFn: ({ signal }) => slipway("DescribeServer", {}, signal), staleTime: 60_000 });
  return (
    <Empty
      title={projectName === "" ? "No deliveries yet" : `No deliveries for ${projectName} yet`}
      action={projectName === "" ? <AppButton to={paths.projects()}>View build projects</AppButton> : <AppButton to={paths.project(projectName)}>View {projectName}</AppButton>}
    >
      A delivery is what a source provider sends when something happens to a repository, such as a push. It starts builds of the projects whose webhooks it matches. Create a webhook on the Webhook tab of a project, then
      push to its repository. {server.data !== undefined && reach(server.data)}
    </Empty>
  );
}

/** How providers reach the server, or what to do so that they can. */
function reach({ publicUrl = "", polling = false }: DescribeServerOutput): string {
  if (publicUrl !== "") return `Providers must reach this server at ${publicUrl}.`;
  if (polling) return "This server has no public URL: it asks providers for changes itself, which takes a minute or so.";
  return "Providers cannot reach this server: start it with --public-url URL for webhooks, or with --poll so that it asks providers for changes itself.";
}
