import messages from "@cloudscape-design/components/i18n/messages/all.en";
import { IntlMessageFormat as Whole } from "intl-messageformat/src/core"; // beside the name that leads to ours
import { expect, test } from "vitest";
import MessageFormat, { type Part } from "./messageFormat";

/** Every message of Cloudscape, by its key. */
function all(tree: unknown, key = ""): (readonly [string, readonly Part[]])[] {
  if (Array.isArray(tree)) return [[key, tree as readonly Part[]]];
  return Object.entries(tree as Record<string, unknown>).flatMap(([name, branch]) => all(branch, key === "" ? name : `${key}.${name}`));
}

/** The values that a message asks for, each with those that choose something. */
function asked(parts: readonly Part[], into: Record<string, unknown[]> = {}): Record<string, unknown[]> {
  for (const part of parts) {
    if (part.type === 1) into[part.value] ??= ["<b>", 0, 1234.5, undefined, false, { element: true }];
    if (part.type === 5) into[part.value] = [...Object.keys(part.options), true, false, "something else"];
    if (part.type === 6) into[part.value] = [0, 1, 2, 21, 1000, 1.5];
    if (part.type === 8) into[part.value] = [(children: unknown[]) => ["(", ...children, ")"], () => ({ element: true })];
    if (part.type === 5 || part.type === 6) for (const option of Object.values(part.options)) asked(option.value, into);
    if (part.type === 8) asked(part.children, into);
  }
  return into;
}

/** Either what is said or that it is refused. */
function said(format: () => unknown): unknown {
  try {
    return format();
  } catch {
    return "refused";
  }
}

test("every message reads as the library would write it", () => {
  let compared = 0;
  for (const [key, message] of all(messages)) {
    const values = asked(message);
    const rounds = Math.max(1, ...Object.values(values).map((v) => v.length));
    for (let i = 0; i < rounds; i++) {
      for (let j = 0; j < rounds; j++) {
        // One value goes through all of its own while the others go on by another step.
        const given = Object.fromEntries(Object.entries(values).map(([name, list], k) => [name, list[(k % 2 === 0 ? i : j) % list.length]]));
        const whole = new Whole(message as never, "en");
        const ours = new MessageFormat(message);
        expect(said(() => ours.format(given)), key).toEqual(said(() => whole.format(given as never)));
        compared++;
      }
    }
  }
  expect(compared).toBeGreaterThan(1000);
});

test("a message without its values is refused, and one that is a string is itself", () => {
  expect(() => new MessageFormat([{ type: 1, value: "count" }]).format()).toThrow("count");
  expect(new MessageFormat("as it is").format()).toBe("as it is");
});
