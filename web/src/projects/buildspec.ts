/** The buildspec that a new inline one begins with. */
export const sample = `version: 0.2

phases:
  build:
    commands:
      - echo "Building $CODEBUILD_RESOLVED_SOURCE_VERSION"
`;

/**
 * Whether the buildspec of a source is the text itself and not the path of a
 * file. There is no flag for it: several lines, or a YAML mapping, are a text.
 */
export function isInline(buildspec: string | undefined): boolean {
  const text = buildspec?.trim() ?? "";
  if (/[\r\n]/.test(text)) return true;
  if (text === "" || text.startsWith("arn:")) return false;
  return text.startsWith("{") || /^["']?[\w.-]+["']?:(\s|$)/.test(text);
}
