/** A piece of a text: words, or an address to follow. */
export type Piece = { readonly text: string; readonly href?: undefined } | { readonly text: string; readonly href: string };

/**
 * The server's advice in words of the console. The server words it for whoever
 * reads it, on a terminal too; where a button is at hand, that is what to say.
 * here says where: "with Replace token", "under Source providers".
 */
export function ofConsole(advice: string, here: string): string {
  return advice
    .replace(/ with '?slipway credential import[^'.]*'?/g, ` ${here}`)
    .replace(/'slipway credential import[^']*' adds one/g, "Connect under Source providers adds one")
    .replace(/'slipway credential import[^']*'/g, here);
}

/** A text in pieces: its addresses are told by their hosts, for they may be long. */
export function pieces(text: string): readonly Piece[] {
  const all: Piece[] = [];
  let at = 0;
  for (const { 0: found, index } of text.matchAll(/https?:\/\/[^\s'"<>]*[^\s'"<>.,;:)]/g)) {
    if (index > at) all.push({ text: text.slice(at, index) });
    all.push({ text: URL.canParse(found) ? new URL(found).host : found, href: found });
    at = index + found.length;
  }
  if (at < text.length) all.push({ text: text.slice(at) });
  return all;
}
