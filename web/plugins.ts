import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

/**
 * Makes files of the fonts that Cloudscape has inside its style sheet: so the
 * sheet is read sooner, a font is fetched once some text has its face, and text
 * is seen before. Those of the first page are fetched together with the sheet.
 */
export function fontFiles(first: readonly string[]): Plugin {
  const embedded = /@font-face\s*\{[^}]*?url\("?data:font\/woff2;base64,([^")]+)"?\)[^}]*\}/g;
  const ofFirst = new Map<string, string>();
  return {
    name: "font-files",
    apply: "build",
    generateBundle: {
      order: "pre",
      handler(_, bundle) {
        for (const sheet of Object.values(bundle)) {
          if (sheet.type !== "asset" || !sheet.fileName.endsWith(".css")) continue;
          sheet.source = sheet.source.toString().replace(embedded, (face, data: string) => {
            const [family, weight, style] = ["family", "weight", "style"].map((name) => new RegExp(`font-${name}:\\s*"?([^;}"]+)`).exec(face)?.[1] ?? "");
            const name = `${family} ${weight} ${style}`.toLowerCase().replaceAll(" ", "-");
            const file = this.getFileName(this.emitFile({ type: "asset", name: `${name}.woff2`, source: Buffer.from(data, "base64") }));
            if (first.includes(name)) ofFirst.set(name, file);
            return face.replace(`data:font/woff2;base64,${data}`, `./${file.replace(/.*\//, "")}`).replace("{", "{font-display:swap;");
          });
        }
      },
    },
    transformIndexHtml: {
      order: "post",
      handler: () =>
        first.map((name) => {
          const file = ofFirst.get(name);
          if (file === undefined) throw new Error(`no style sheet has the font ${name}`);
          return { tag: "link", injectTo: "head" as const, attrs: { rel: "preload", as: "font", type: "font/woff2", crossorigin: true, href: `./${file}` } };
        }),
    },
  };
}

/** Leaves each text file compressed twice and not plain: the server sends what the browser takes. */
export function precompress(outDir: string): Plugin {
  return {
    name: "precompress",
    apply: "build",
    closeBundle() {
      const assets = join(outDir, "assets");
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
