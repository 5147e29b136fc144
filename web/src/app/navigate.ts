import { useCallback } from "react";
import { useLocation, useParams } from "wouter";
import { root } from "../api/place";

/**
 * Paths of the console, without its root. Every page has one, so that it can be
 * linked to. Parts that come from users are escaped.
 */
export const paths = {
  home: () => "/",
  sourceProviders: () => "/source-providers",
  connect: (serverType?: string, replaces?: string) => "/source-providers/connect" + query({ serverType, replaces }),
  sourceProvider: (credential: string) => `/source-providers/${encodeURIComponent(credential)}`,
  projects: () => "/projects",
  newProject: () => "/projects/new",
  project: (name: string) => `/projects/${encodeURIComponent(name)}`,
  editProject: (name: string) => `/projects/${encodeURIComponent(name)}/edit`,
  builds: (projectName?: string) => "/builds" + query({ projectName }),
  build: (id: string) => `/builds/${encodeURIComponent(id)}`,
  buildLog: (id: string, line?: number) => `/builds/${encodeURIComponent(id)}/log` + query({ line: line?.toString() }),
  startBuild: (projectName: string, retryOf?: string) => `/projects/${encodeURIComponent(projectName)}/start` + query({ retryOf }),
  deliveries: (projectName?: string) => "/deliveries" + query({ projectName }),
  delivery: (id: string) => `/deliveries/${encodeURIComponent(id)}`,
  testDelivery: (projectName?: string, deliveryId?: string) => "/deliveries/test" + query({ projectName, deliveryId }),
  reports: () => "/reports",
  reportGroup: (arn: string) => `/reports/groups/${encodeURIComponent(arn)}`,
  report: (arn: string) => `/reports/${encodeURIComponent(arn)}`,
  secrets: (search?: string) => "/secrets" + query({ search }),
  sessions: () => "/sessions",
} as const;

function query(values: Record<string, string | undefined>): string {
  const q = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined && value !== "") q.set(name, value);
  const text = q.toString();
  return text === "" ? "" : `?${text}`;
}

/** The address of a path, for an href. */
export function href(path: string): string {
  return root.replace(/\/$/, "") + path;
}

/** Returns a function that goes to a path of the console. */
export function useGo(): (path: string, options?: { replace?: boolean }) => void {
  const [, go] = useLocation();
  return useCallback((path, options) => go(path, options), [go]);
}

/** Like useGo, for onFollow and onClick of Cloudscape's links: leaves clicks that open tabs to the browser. */
export function useFollow(): (e: CustomEvent<{ href?: string; external?: boolean }>) => void {
  const go = useGo();
  return useCallback(
    (e) => {
      const { href: to, external } = e.detail;
      const base = root.replace(/\/$/, "");
      if (external === true || to === undefined || !to.startsWith(base)) return;
      e.preventDefault();
      go(to.slice(base.length) || "/");
    },
    [go],
  );
}

/** The part of the path that a route calls name, as it was before it was escaped. */
export function usePathPart(name: string): string {
  const part = useParams<Record<string, string | undefined>>()[name] ?? "";
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a percent sign that somebody typed
  }
}
