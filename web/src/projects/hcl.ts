/** A value of Terraform's language: what JSON has, or text that is written as it is. */
export type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value } | Expression;

/** A piece of HCL, such as a reference to another resource. */
export class Expression {
  readonly hcl: string;
  constructor(hcl: string) {
    this.hcl = hcl;
  }
}

/** One line of a body: an argument, a block in it, or a remark. */
export type Item =
  | { readonly argument: string; readonly value: Value }
  | { readonly block: string; readonly labels?: readonly string[]; readonly body: readonly Item[] }
  | { readonly remark: string };

/** Writes a body as terraform fmt would: equal signs of neighbours in one column, an empty line around blocks. */
export function write(body: readonly Item[], indent = ""): string {
  const lines: string[] = [];
  for (let i = 0; i < body.length; i++) {
    const item = body[i];
    if (item === undefined) break;
    if ("remark" in item) {
      lines.push(`${indent}# ${item.remark.replaceAll(/\s+/g, " ")}`);
    } else if ("argument" in item) {
      lines.push(`${indent}${item.argument.padEnd(widthAt(body, i))} = ${expression(item.value, indent)}`);
    } else {
      if (i > 0) lines.push("");
      const head = [item.block, ...(item.labels ?? []).map(quoted)].join(" ");
      lines.push(item.body.length === 0 ? `${indent}${head} {}` : `${indent}${head} {\n${write(item.body, `${indent}  `)}${indent}}`);
      if (i + 1 < body.length && !("block" in (body[i + 1] ?? {}))) lines.push("");
    }
  }
  return lines.map((l) => `${l}\n`).join("");
}

/** How wide the names are of the run of one-line arguments around i. */
function widthAt(body: readonly Item[], i: number): number {
  const name = (at: number) => {
    const item = body[at];
    return item !== undefined && "argument" in item && !spansLines(item.value) ? item.argument.length : undefined;
  };
  let width = name(i) ?? 0;
  for (let at = i - 1; name(i) !== undefined && name(at) !== undefined; at--) width = Math.max(width, name(at) ?? 0);
  for (let at = i + 1; name(i) !== undefined && name(at) !== undefined; at++) width = Math.max(width, name(at) ?? 0);
  return width;
}

function spansLines(value: Value): boolean {
  return typeof value === "string" ? isHeredoc(value) : typeof value === "object" && !Array.isArray(value) && !(value instanceof Expression);
}

function expression(value: Value, indent: string): string {
  if (typeof value === "string") return isHeredoc(value) ? heredoc(value) : quoted(value);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (value instanceof Expression) return value.hcl;
  if (isList(value)) return `[${value.map((v) => expression(v, indent)).join(", ")}]`;
  const entries = Object.entries(value);
  if (entries.length === 0) return "{}";
  const keys = entries.map(([k]) => (/^[A-Za-z_][\w-]*$/.test(k) ? k : quoted(k)));
  const width = Math.max(...keys.map((k) => k.length));
  return `{\n${entries.map(([, v], i) => `${indent}  ${(keys[i] ?? "").padEnd(width)} = ${expression(v, `${indent}  `)}\n`).join("")}${indent}}`;
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

/** Text as a quoted string: what would begin a template begins none. */
export function quoted(text: string): string {
  const escaped = text
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")
    .replaceAll("\t", "\\t")
    // eslint-disable-next-line no-control-regex -- those characters have to be escaped
    .replaceAll(/[\u0000-\u001f\u007f]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return `"${template(escaped)}"`;
}

/** Doubles what would begin a template. A sign before it comes from a template of its own, lest the two are read as one. */
function template(text: string): string {
  return text.replaceAll(/(\$*)\$\{|(%*)%\{/g, (match, dollars: string | undefined, percents: string | undefined) => {
    const before = dollars ?? percents ?? "";
    const sign = match.at(-2) ?? "";
    return `${before === "" ? "" : `\${"${before}"}`}${sign}${sign}{`;
  });
}

/** Whether a text reads better on lines of its own, and can stand there: nothing is escaped in a heredoc. */
function isHeredoc(text: string): boolean {
  // eslint-disable-next-line no-control-regex -- only a quoted string can say those
  return /\n./.test(text) && !/[\u0000-\u0008\u000b-\u001f\u007f]/.test(text) && marker(text) !== undefined;
}

/** A word that ends a heredoc and is no line of the text; undefined if there is none. */
function marker(text: string): string | undefined {
  const lines = new Set(text.split("\n").map((l) => l.trim()));
  return ["EOT", "END", "END_OF_TEXT"].find((m) => !lines.has(m));
}

function heredoc(text: string): string {
  const word = marker(text) ?? "EOT";
  const open = `<<${word}\n`;
  // The line before the marker ends with a newline, which the text may not have.
  if (text.endsWith("\n")) return `${open}${template(text)}${word}`;
  return `chomp(${open}${template(text)}\n${word}\n)`;
}
