/// <reference types="vitest/config" />
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const outDir = "../internal/console/dist/app";

/** Leaves each text file compressed twice and not plain: the server sends what the browser takes. */
function precompress(): Plugin {
  return {
    name: "precompress",
    apply: "build",
    closeBundle() {
      const assets = join(import.meta.dirname, outDir, "assets");
      for (const file of readdirSync(assets)) {
        if (!/\.(js|css|svg|json)$/.test(file)) continue;
        const path = join(assets, file);
        const plain = readFileSync(path);
        writeFileSync(`${path}.br`, brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: plain.length } }));
        writeFileSync(`${path}.gz`, gzipSync(plain, { level: 9 }));
        rmSync(path);
      }
    },
  };
}

/**
 * Lets the browser fetch the home page, and what it shares with others, together
 * with the frame around it and not after that ran.
 */
function preloadHome(): Plugin {
  return {
    name: "preload-home",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler(html, { bundle = {} }) {
        const files = new Set<string>();
        const add = (file: string) => {
          const chunk = bundle[file];
          if (files.has(file) || chunk?.type !== "chunk") return;
          files.add(file);
          for (const css of chunk.viteMetadata?.importedCss ?? []) files.add(css);
          chunk.imports.forEach(add);
        };
        for (const chunk of Object.values(bundle)) if (chunk.type === "chunk" && chunk.facadeModuleId?.endsWith("/home/HomePage.tsx") === true) add(chunk.fileName);
        return [...files]
          .filter((file) => !html.includes(file))
          .map((file) => ({
            tag: "link",
            injectTo: "head" as const,
            attrs: file.endsWith(".css") ? { rel: "preload", as: "style", crossorigin: true, href: `./${file}` } : { rel: "modulepreload", crossorigin: true, href: `./${file}` },
          }));
      },
    },
  };
}

// The base is relative, so that the console works behind any path: the server
// says in each page where its assets are.
export default defineConfig(({ command }) => ({
  base: command === "build" ? "./" : "/console/",
  plugins: [react(), preloadHome(), precompress()],
  build: { outDir, emptyOutDir: true, target: "es2023", reportCompressedSize: false, chunkSizeWarningLimit: 3000 },
  server: {
    // The server to talk to while developing, such as http://127.0.0.1:4680. Its
    // signatures cover the host, which the proxy leaves as the browser sent it.
    proxy: { "^/$": { target: process.env["SLIPWAY_URL"] ?? "http://127.0.0.1:4680", changeOrigin: false } },
  },
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"], setupFiles: ["src/test.ts"] },
}));
