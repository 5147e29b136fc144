/** Returns what of a text can be asked about as a repository's URL, or what is wrong with it. A user name and password in it are left out. */
export function repositoryOf(text: string): { url: string } | { fault: string } {
  const given = text.trim();
  if (given === "") return { fault: "Enter the URL of a repository, such as https://github.com/owner/repository." };
  if (!URL.canParse(given)) {
    if (/^[\w.-]+@[\w.-]+:[\w./~-]+$/.test(given)) return { url: given }; // git@host:owner/repository
    return { fault: "This is no URL. It reads like https://github.com/owner/repository." };
  }
  const url = new URL(given);
  if (!["https:", "http:", "ssh:"].includes(url.protocol) || url.host === "") return { fault: "This is no URL of a repository. It reads like https://github.com/owner/repository." };
  if (url.protocol !== "ssh:") url.username = "";
  url.password = "";
  return { url: url.href };
}
