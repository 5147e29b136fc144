/// <reference types="vitest/config" />
import { join } from "node:path";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { fontFiles, precompress } from "./plugins.ts";

/** The tests that need a document or a tab's storage. */
const documented = ["src/**/*.test.tsx", "src/session/*.test.ts", "src/app/query.test.ts", "src/home/attention.test.ts"];

const outDir = join(import.meta.dirname, "../internal/console/dist/app");

// The base is relative, so that the console works behind any path: the server
// says in each page where its assets are.
export default defineConfig(({ command }) => ({
  base: command === "build" ? "./" : "/console/",
  plugins: [react(), fontFiles(["open-sans-400-normal", "open-sans-700-normal"]), precompress(outDir)],
  resolve: { alias: [{ find: /^intl-messageformat$/, replacement: join(import.meta.dirname, "src/app/messageFormat.ts") }] },
  build: {
    outDir,
    emptyOutDir: true,
    target: "es2023",
    reportCompressedSize: false,
    chunkSizeWarningLimit: 3000,
    modulePreload: { polyfill: false },
    // The frame and the home page are one file: dozens of small ones would wait for each other.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: "console", test: /\/src\/main\.tsx$/ }] } } },
  },
  server: {
    // The server to talk to while developing, such as http://127.0.0.1:4680. Its
    // signatures cover the host, which the proxy leaves as the browser sent it.
    proxy: { "^/$": { target: process.env["SLIPWAY_URL"] ?? "http://127.0.0.1:4680", changeOrigin: false } },
  },
  test: {
    testTimeout: 30_000, // machines of CI are slow, and run the Go tests beside these
    projects: [
      // Rules need no document, which takes longer to make than most of their tests take.
      { extends: true, test: { name: "rules", environment: "node", include: ["src/**/*.test.ts"], exclude: documented } },
      { extends: true, test: { name: "document", environment: "jsdom", include: documented, setupFiles: ["src/test.ts"] } },
    ],
  },
}));
