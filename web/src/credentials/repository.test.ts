import { expect, test } from "vitest";
import { repositoryOf } from "./repository";

test.each([
  [" https://github.com/octo/recipes ", "https://github.com/octo/recipes"],
  ["https://me:ghp_secret@github.com/octo/recipes", "https://github.com/octo/recipes"],
  ["git@github.com:octo/recipes.git", "git@github.com:octo/recipes.git"],
  ["ssh://git@github.com/octo/recipes", "ssh://git@github.com/octo/recipes"],
])("%s is asked about as %s", (text, url) => expect(repositoryOf(text)).toEqual({ url }));

test.each(["", "ghp_secret", "octo/recipes", "javascript:alert(1)"])("%s is no repository", (text) => {
  const found = repositoryOf(text);
  expect(found).toHaveProperty("fault");
  expect(JSON.stringify(found)).not.toContain("secret");
});
