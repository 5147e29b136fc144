import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { configure, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { Problem } from "../api/problem";
import type { ImportCredentialInput } from "../api/slipway.gen";
import { ConnectForm } from "./ConnectForm";

const calls = vi.hoisted(() => ({ slipway: vi.fn<(operation: string, input: unknown) => Promise<unknown>>() }));
vi.mock("../api/slipway", () => calls);

configure({ asyncUtilTimeout: 20_000 }); // finding by role in all of a page takes its time

const token = "ghp_NobodyMaySeeThisOne";
const arn = "arn:aws:codebuild:us-east-1:000000000000:token/github";
let taken = false;
let refused = false;
let client: QueryClient;
const connected = vi.fn();

beforeEach(() => {
  taken = refused = false;
  connected.mockReset();
  calls.slipway.mockReset().mockImplementation((operation, input) => {
    switch (operation) {
      case "ListTokenKinds":
        return Promise.resolve({ kinds: [] });
      case "ImportCredential": {
        const { dryRun, shouldOverwrite } = input as ImportCredentialInput;
        if (dryRun === true) {
          return Promise.resolve({ arn, overwrites: true, affectedProjects: [{ projectName: "recipes", lose: ["webhook"], then: "It would go on with the new token." }] });
        }
        if (taken && shouldOverwrite === false) return Promise.reject(new Problem("ResourceAlreadyExistsException", "There is one."));
        return Promise.resolve({ arn, overwrites: taken });
      }
      case "VerifyCredential":
        return Promise.resolve({
          credential: {
            arn,
            serverType: "GITHUB",
            authType: "PERSONAL_ACCESS_TOKEN",
            health: refused
              ? { state: "INVALID", tokenKind: "GITHUB_CLASSIC", message: "GitHub answered 401.", nextStep: "Make a new one." }
              : {
                  state: "LIMITED",
                  tokenKind: "GITHUB_CLASSIC",
                  owner: "octo",
                  scopesKnown: true,
                  scopes: ["repo:status"],
                  jobs: [
                    { job: "COMMIT_STATUS", ability: "YES" },
                    { job: "WEBHOOK", ability: "NO", missing: ["admin:repo_hook"], nextStep: "Make one with this scope.", link: "https://github.com/settings/tokens/new" },
                  ],
                },
          },
        });
      default:
        return Promise.reject(new Error(operation));
    }
  });
  client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
});

function show() {
  return render(
    <QueryClientProvider client={client}>
      <ConnectForm serverType="GITHUB" onConnected={connected} />
    </QueryClientProvider>,
  );
}

/** Whatever this page holds or keeps that others could read. */
function kept(): string {
  const inputs = [...document.querySelectorAll("input, textarea")].map((e) => (e as HTMLInputElement).value);
  const cached = [...client.getQueryCache().getAll(), ...client.getMutationCache().getAll()].map((e) => JSON.stringify([e.options, e.state]));
  return [document.documentElement.outerHTML, ...inputs, ...cached, JSON.stringify(localStorage), JSON.stringify(sessionStorage), location.href, JSON.stringify(history.state)].join("\n");
}

async function enter(user: ReturnType<typeof userEvent.setup>) {
  await user.click(screen.getByLabelText("GitHub personal access token"));
  await user.paste(token);
  expect(kept()).toContain(token); // or the test would prove nothing
  await user.click(screen.getByRole("button", { name: "Save token" }));
}

describe("a token", { timeout: 60_000 }, () => {
  test("is nowhere on the page once it is saved, and what it can do is", async () => {
    const user = userEvent.setup({ delay: null });
    show();
    await enter(user);
    expect(kept()).not.toContain(token);
    await screen.findByText("Works for some things");
    expect(kept()).not.toContain(token);
    expect(connected).toHaveBeenCalledExactlyOnceWith({ arn });
    expect(calls.slipway).toHaveBeenCalledWith("ImportCredential", { serverType: "GITHUB", authType: "PERSONAL_ACCESS_TOKEN", token, shouldOverwrite: false });
    expect(screen.getByRole("row", { name: /Webhook.*Does not work.*The scope admin:repo_hook is missing.*Make one with this scope/ })).toBeTruthy();
    expect(screen.getByRole("link", { name: /Open github.com/ }).getAttribute("href")).toBe("https://github.com/settings/tokens/new");
  });

  test("takes the place of another only after it is shown what that does", async () => {
    taken = true;
    const user = userEvent.setup({ delay: null });
    show();
    await enter(user);
    await screen.findByText("Would lose:");
    expect(kept()).not.toContain(token);
    expect(connected).not.toHaveBeenCalled();
    await user.click(screen.getByRole("button", { name: "Replace token" }));
    await screen.findByText("Works for some things");
    expect(calls.slipway).toHaveBeenCalledWith("ImportCredential", expect.objectContaining({ token, shouldOverwrite: true }));
  });

  test("is dropped if it is not to take the place of another", async () => {
    taken = true;
    const user = userEvent.setup({ delay: null });
    show();
    await enter(user);
    await screen.findByText("Would lose:");
    await user.click(screen.getByRole("button", { name: "Cancel" }));
    await screen.findByText(/Nothing was changed/);
    expect(kept()).not.toContain(token);
    expect(connected).not.toHaveBeenCalled();
    expect(calls.slipway).not.toHaveBeenCalledWith("ImportCredential", expect.objectContaining({ shouldOverwrite: true }));
  });

  test("that the provider refuses is said loudly, with the way on", async () => {
    refused = true;
    const user = userEvent.setup({ delay: null });
    show();
    await enter(user);
    await screen.findByText("GitHub does not accept this token");
    await user.click(screen.getByRole("button", { name: "Replace token" }));
    await waitFor(() => expect(screen.getByLabelText("GitHub personal access token")).toHaveProperty("value", ""));
  });

  test("that is none is not sent", async () => {
    const user = userEvent.setup({ delay: null });
    show();
    await user.type(screen.getByLabelText("GitHub personal access token"), "glpat-x{Enter}");
    await screen.findByText(/This looks like a token of GitLab/);
    expect(calls.slipway).not.toHaveBeenCalledWith("ImportCredential", expect.anything());
  });
});
