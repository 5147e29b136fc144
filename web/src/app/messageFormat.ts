/**
 * Stands in for intl-messageformat, which Cloudscape's components format their
 * messages with: those come parsed, and are English. The whole of it with its
 * parser is 20 kB more to fetch, and has the browser read all that it knows of
 * every language before the first page is shown.
 */

interface Options {
  readonly value: readonly Part[];
}

/** A part of a message, as @formatjs/icu-messageformat-parser leaves it: those that Cloudscape's English has. */
export type Part =
  | { readonly type: 0; readonly value: string } // text
  | { readonly type: 1; readonly value: string } // a value
  | { readonly type: 5 | 6; readonly value: string; readonly options: Readonly<Record<string, Options>> } // one of several texts, by a value or by a number
  | { readonly type: 8; readonly value: string; readonly children: readonly Part[] }; // a text that a function takes

type Values = Readonly<Record<string, unknown>>;

export default class MessageFormat {
  constructor(private readonly message: string | readonly Part[]) {}

  /** The message with values in it: a string, or a list if some are none. */
  format(values: Values = {}): unknown {
    if (typeof this.message === "string") return this.message;
    const all = parts(this.message, values);
    return all.length <= 1 ? (all[0] ?? "") : all;
  }
}

/** What parts come to, in which no two strings follow each other. */
function parts(message: readonly Part[], values: Values): readonly unknown[] {
  const out: unknown[] = [];
  for (const one of message.flatMap((part) => result(part, values))) {
    const last = out.at(-1);
    if (typeof one === "string" && typeof last === "string") out[out.length - 1] = last + one;
    else out.push(one);
  }
  return out;
}

function result(part: Part, values: Values): readonly unknown[] {
  if (part.type === 0) return [part.value];
  if (!(part.value in values)) throw new Error(`a message lacks its value ${part.value}`);
  const value = values[part.value];
  switch (part.type) {
    case 1:
      return [typeof value === "number" ? value.toString() : value || ""];
    case 5:
      return parts(chosen(part.options, String(value)), values);
    case 6:
      return parts(chosen(part.options, `=${String(value)}`, value === 1 ? "one" : "other"), values);
    case 8: {
      if (typeof value !== "function") throw new Error(`the value ${part.value} of a message is no function`);
      const made: unknown = (value as (children: readonly unknown[]) => unknown)(parts(part.children, values));
      return Array.isArray(made) ? made : [made];
    }
  }
}

function chosen(options: Readonly<Record<string, Options>>, ...keys: readonly string[]): readonly Part[] {
  const key = [...keys, "other"].find((k) => Object.hasOwn(options, k));
  if (key === undefined) throw new Error("a message has no text for its value");
  return options[key]?.value ?? [];
}
