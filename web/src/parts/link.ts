/**
 * An address from data, if a link may lead there: http or https, and without a
 * login in it. Whatever else data holds, such as javascript: or a path of our
 * own, is text.
 */
export function webLink(address: string | undefined): string | undefined {
  if (address === undefined || !/^https?:\/\//i.test(address) || !URL.canParse(address)) return undefined;
  const url = new URL(address);
  return url.username === "" && url.password === "" ? address : undefined;
}

/** The host that a link leads to, to say before somebody follows it. */
export function linkHost(link: string): string {
  return URL.canParse(link) ? new URL(link).host : link;
}
