import { lazy, Suspense, type ComponentType, type LazyExoticComponent } from "react";
import { Route, Switch } from "wouter";
import HomePage from "../home/HomePage";
import { Loading } from "../parts/Loading";
import { useSession } from "../session/useSession";
import { Frame } from "./Frame";

const SignIn = lazy(() => import("../session/SignIn"));
const NotFound = lazy(() => import("./NotFound"));

type PageComponent = ComponentType | LazyExoticComponent<ComponentType>;

/** Every page and its path; each but the first is fetched when it is first opened. */
const pages: readonly (readonly [string, PageComponent])[] = [
  ["/", HomePage],
  ["/source-providers", lazy(() => import("../credentials/CredentialsPage"))],
  ["/source-providers/connect", lazy(() => import("../credentials/ConnectPage"))],
  ["/source-providers/:credential", lazy(() => import("../credentials/CredentialPage"))],
  ["/projects", lazy(() => import("../projects/ProjectsPage"))],
  ["/projects/new", lazy(() => import("../projects/CreateProjectPage"))],
  ["/projects/:name", lazy(() => import("../projects/ProjectPage"))],
  ["/projects/:name/edit", lazy(() => import("../projects/EditProjectPage"))],
  ["/projects/:name/start", lazy(() => import("../builds/StartBuildPage"))],
  ["/builds", lazy(() => import("../builds/BuildsPage"))],
  ["/builds/:id", lazy(() => import("../builds/BuildPage"))],
  ["/builds/:id/log", lazy(() => import("../log/LogPage"))],
  ["/deliveries", lazy(() => import("../webhooks/DeliveriesPage"))],
  ["/deliveries/test", lazy(() => import("../webhooks/TestDeliveryPage"))],
  ["/deliveries/:id", lazy(() => import("../webhooks/DeliveryPage"))],
  ["/reports", lazy(() => import("../reports/ReportGroupsPage"))],
  ["/reports/groups/:group", lazy(() => import("../reports/ReportGroupPage"))],
  ["/reports/:report", lazy(() => import("../reports/ReportPage"))],
  ["/secrets", lazy(() => import("../secrets/SecretsPage"))],
  ["/sessions", lazy(() => import("../session/SessionsPage"))],
];

/** The console: the page of the address for whoever is signed in, and the sign-in page for all others. */
export function App() {
  const session = useSession();
  if (session === undefined)
    return (
      <Suspense fallback={<Loading what="page" minHeight={600} />}>
        <SignIn />
      </Suspense>
    );
  return (
    <Frame>
      <Suspense fallback={<Loading what="page" minHeight={600} />}>
        <Switch>
          {pages.map(([path, Page]) => (
            <Route key={path} path={path}>
              <Page />
            </Route>
          ))}
          <Route>
            <NotFound />
          </Route>
        </Switch>
      </Suspense>
    </Frame>
  );
}
