/** How much of a payload is shown at first, in characters. */
export const shownAtFirst = 200_000;

/** JSON on indented lines; other text as it is. */
export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** Text in pieces that end with a line where they can, so that a browser lays out only those in sight. */
export function pieces(text: string, size = 20_000): readonly string[] {
  const all: string[] = [];
  for (let at = 0; at < text.length; ) {
    let end = Math.min(at + size, text.length);
    if (end < text.length) {
      const line = text.slice(at, end).lastIndexOf("\n"); // of this piece alone: a payload may be one long line
      if (line > 0) end = at + line + 1;
    }
    all.push(text.slice(at, end));
    at = end;
  }
  return all;
}

/** How many lines a piece has. */
export function lines(piece: string): number {
  return piece.split("\n").length - (piece.endsWith("\n") ? 1 : 0);
}

/** The size of a text for people. */
export function size(characters: number): string {
  if (characters < 1000) return `${characters} characters`;
  if (characters < 1_000_000) return `${(characters / 1000).toFixed(1)} KB`;
  return `${(characters / 1_000_000).toFixed(1)} MB`;
}
