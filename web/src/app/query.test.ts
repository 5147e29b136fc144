import { expect, test } from "vitest";
import { setSession, type SignedIn } from "../session/session";
import { queries } from "./query";

test("what a session read is forgotten with it, and kept when its keys are renewed", () => {
  const session = (id: string, accessKeyId: string): SignedIn => ({
    credentials: { accessKeyId, secretAccessKey: "s", sessionToken: "t", expiration: 4e9 },
    session: { id, user: "alice", origin: "LINK" },
    region: "us-east-1",
  });
  const read = () => queries.setQueryData(["projects"], ["one"]);
  const kept = () => queries.getQueryData(["projects"]);

  setSession(session("a", "ASIA1"));
  read();
  setSession(session("a", "ASIA2"));
  expect(kept()).toEqual(["one"]);
  setSession(undefined);
  expect(kept()).toBeUndefined();
  read();
  setSession(session("b", "ASIA3"));
  expect(kept()).toBeUndefined();
});
