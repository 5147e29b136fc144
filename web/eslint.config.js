import js from "@eslint/js";
import hooks from "eslint-plugin-react-hooks";
import ts from "typescript-eslint";

export default ts.config(
  { ignores: ["node_modules", "src/api/slipway.gen.ts", "test-results", "screenshots"] },
  js.configs.recommended,
  ts.configs.strictTypeChecked,
  { languageOptions: { parserOptions: { projectService: { allowDefaultProject: ["eslint.config.js", "bench/*.mjs"] }, tsconfigRootDir: import.meta.dirname } } },
  {
    files: ["src/**/*.{ts,tsx}"],
    ...hooks.configs.flat["recommended-latest"],
  },
  {
    rules: {
      "no-console": "error", // what goes to the console of a browser may be a secret
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
      "no-restricted-imports": [
        "error",
        {
          paths: [{ name: "@cloudscape-design/components", message: "import one component from its own folder: the root pulls in all of them", allowTypeImports: true }],
        },
      ],
    },
  },
  { files: ["eslint.config.js", "bench/*.mjs"], ...ts.configs.disableTypeChecked },
  { files: ["bench/*.mjs"], rules: { "no-undef": "off", "no-console": "off" } }, // half of it runs in the browser; what it prints is its result
);
