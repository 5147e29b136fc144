import { describe, expect, test } from "vitest";
import { ofConsole, pieces } from "./advice";

describe("advice in the console's words", () => {
  test.each([
    ["Make a new one at https://x.y/z and import it with 'slipway credential import'.", "Make a new one at https://x.y/z and import it with Replace token."],
    ["Make a new token and import it with 'slipway credential import --server-type GITHUB --token-file FILE'.", "Make a new token and import it with Replace token."],
    ["There are no source credentials. 'slipway credential import' adds one.", "There are no source credentials. Connect under Source providers adds one."],
    ["Scopes cannot be added: make another, and 'slipway webhook verify'.", "Scopes cannot be added: make another, and 'slipway webhook verify'."],
  ])("%s", (told, want) => expect(ofConsole(told, "with Replace token")).toBe(want));
});

describe("addresses in a text", () => {
  test("stand by their hosts", () =>
    expect(pieces("Make one at https://github.com/settings/tokens/new?scopes=repo,admin:repo_hook. Then import it.")).toEqual([
      { text: "Make one at " },
      { text: "github.com", href: "https://github.com/settings/tokens/new?scopes=repo,admin:repo_hook" },
      { text: ". Then import it." },
    ]));
  test("are none of other schemes", () => expect(pieces("See javascript:alert(1)")).toEqual([{ text: "See javascript:alert(1)" }]));
  test("may be all of it", () => expect(pieces("http://127.0.0.1:80/a")).toEqual([{ text: "127.0.0.1", href: "http://127.0.0.1:80/a" }]));
});
