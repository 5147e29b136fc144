// Measures the console in a browser, on a stage with a long log:
//
//   make build && go build -o bin/stage ./web/stage
//   node web/bench/console.mjs [--lines 1000000] [--json out.json]
//
// It needs Chromium: CHROMIUM says where it is, /usr/bin/chromium unless set.
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";

const repository = join(import.meta.dirname, "../..");
const { values: flags } = parseArgs({
  options: {
    lines: { type: "string", default: "1000000" },
    json: { type: "string" },
    stage: { type: "string", default: join(repository, "bin/stage") },
    slipway: { type: "string", default: join(repository, "bin/slipway") },
    seconds: { type: "string", default: "5" },
  },
});
const lines = Number(flags.lines);
const seconds = Number(flags.seconds);

/** What each figure must stay below. */
const goals = { loadKB: 700, interactiveMs: 1500, frameMs: 33, tabMB: 300 };

const stage = spawn(flags.stage, ["-slipway", flags.slipway, "-log-lines", flags.lines], { stdio: ["pipe", "pipe", "inherit"] });
const about = JSON.parse(await firstLine(stage.stdout));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run", "--enable-precise-memory-info"],
});
try {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
  const page = await context.newPage(); // a session lives in its tab
  const result = { lines, load: await load(context, page), floor: await floor(browser), log: await log(context, page) };
  report(result);
  if (flags.json !== undefined) writeFileSync(flags.json, JSON.stringify(result, null, 2) + "\n");
} finally {
  await browser.close();
  stage.stdin.end();
}

/** The first load of the console, with nothing in the cache: bytes, and when it can be used. */
async function load(context, page) {
  const cdp = await context.newCDPSession(page);
  await cdp.send("Network.enable");
  await cdp.send("Network.setCacheDisabled", { cacheDisabled: true });
  let bytes = 0;
  cdp.on("Network.loadingFinished", (e) => (bytes += e.encodedDataLength));
  await page.addInitScript(() => {
    window.longTasks = [];
    new PerformanceObserver((list) => window.longTasks.push(...list.getEntries().map((e) => e.startTime + e.duration))).observe({ type: "longtask", buffered: true });
  });
  await page.goto(about.console);
  await page.getByRole("heading", { level: 1, name: "Home" }).waitFor();
  const shown = await page.evaluate(() => performance.now());
  await page.waitForTimeout(1500);
  // Interactive is when the page is there and the last long task up to then is over.
  const interactive = await page.evaluate((at) => Math.max(at, ...window.longTasks.filter((end) => end < at + 1000)), shown);
  await cdp.detach();
  return { kilobytes: bytes / 1000, shown, interactive };
}

/** A page of the same browser with nothing to do: what frames take at least. */
async function floor(browser) {
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  await page.setContent('<div id="s" style="height:600px;overflow:auto"><div style="height:15000000px">x</div></div>');
  const frames = await measured(page, () => wheel(page, page.locator("#s")));
  await page.close();
  return frames;
}

/** The log page, while somebody goes through all of it. */
async function log(context, page) {
  const cdp = await context.newCDPSession(page);
  await cdp.send("Performance.enable");
  await page.goto(`${about.url}/console/builds/${about.bigBuild}/log`);
  const region = page.getByRole("region", { name: "Build log" });
  await region.waitFor();
  await page.getByText("Entering phase BUILD").first().waitFor();
  const wheeled = await measured(page, () => wheel(page, region));
  const dragged = await measured(page, () => drag(page, region));
  // Whoever lets go sees lines, not their places.
  const begun = performance.now();
  await page.waitForFunction(() => document.querySelectorAll("[role=row]").length > 0 && document.querySelector("[role=row] [class*=skeleton]") === null);
  const settled = performance.now() - begun;
  const { metrics } = await cdp.send("Performance.getMetrics");
  const metric = (name) => metrics.find((m) => m.name === name)?.value ?? 0;
  return {
    wheeled,
    dragged,
    settled,
    heapMB: metric("JSHeapUsedSize") / 1e6,
    nodes: metric("Nodes"),
    rssMB: await largestRenderer(),
  };
}

/** Turns the wheel down and up again over an element. */
async function wheel(page, element) {
  const box = await element.boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  const end = performance.now() + seconds * 1000;
  for (let i = 0; performance.now() < end; i++) {
    await page.mouse.wheel(0, i % 100 < 70 ? 240 : -240);
    await page.waitForTimeout(8);
  }
}

/** Drags the scrollbar to the end and back. Headless ones cannot be touched: moves as far per frame as a drag would. */
async function drag(page, element) {
  await element.evaluate(
    (e, ms) =>
      new Promise((resolve) => {
        const begun = performance.now();
        const most = e.scrollHeight - e.clientHeight;
        const step = (now) => {
          const part = Math.min(1, (now - begun) / ms);
          e.scrollTop = most * (1 - Math.abs(1 - 2 * part)) * 0.999;
          if (part < 1) requestAnimationFrame(step);
          else resolve();
        };
        requestAnimationFrame(step);
      }),
    seconds * 1000,
  );
}

/** The times between frames while something is done, in milliseconds, and what kept the page busy. */
async function measured(page, act) {
  await page.evaluate(() => {
    window.frames_ = [];
    window.longs_ = [];
    window.watch_ = new PerformanceObserver((list) => window.longs_.push(...list.getEntries().map((e) => e.duration)));
    window.watch_.observe({ type: "longtask" });
    let last = performance.now();
    window.run_ = true;
    const frame = () => {
      const now = performance.now();
      window.frames_.push(now - last);
      last = now;
      if (window.run_) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  await act();
  const [frames, longs] = await page.evaluate(() => {
    window.run_ = false;
    window.watch_.disconnect();
    return [window.frames_.slice(1), window.longs_];
  });
  frames.sort((a, b) => a - b);
  const at = (part) => frames[Math.min(frames.length - 1, Math.floor(frames.length * part))];
  return { frames: frames.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1), longTasks: longs.length, longest: Math.max(0, ...longs) };
}

/** The memory of the largest renderer, which is the tab's, as the system counts it. */
async function largestRenderer() {
  const cdp = await browser.newBrowserCDPSession();
  const { processInfo } = await cdp.send("SystemInfo.getProcessInfo");
  const sizes = processInfo
    .filter((p) => p.type === "renderer")
    .map((p) => {
      const rss = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${p.id}/status`, "utf8"));
      return rss === null ? 0 : Number(rss[1]) / 1000;
    });
  return Math.max(0, ...sizes);
}

function report({ load, floor, log }) {
  const rows = [
    ["first load, compressed", load.kilobytes, "kB", goals.loadKB],
    ["home page shown", load.shown, "ms"],
    ["home page interactive", load.interactive, "ms", goals.interactiveMs],
    ["empty page, wheel: p50", floor.p50, "ms"],
    ["empty page, wheel: p99", floor.p99, "ms"],
    ...["p50", "p95", "p99", "max"].map((p) => [`log, wheel: ${p}`, log.wheeled[p], "ms", p === "max" ? undefined : goals.frameMs]),
    ...["p50", "p95", "p99", "max"].map((p) => [`log, scrollbar: ${p}`, log.dragged[p], "ms", p === "max" ? undefined : goals.frameMs]),
    ["log: lines there after letting go", log.settled, "ms"],
    ["log, wheel: p99 by that of an empty page", log.wheeled.p99 / floor.p99, "×"],
    ["log: heap in use", log.heapMB, "MB"],
    ["log: the tab's process", log.rssMB, "MB", goals.tabMB],
    ["log: nodes of the document", log.nodes, ""],
  ];
  process.stdout.write(`Console, a log of ${lines.toLocaleString("en")} lines\n`);
  for (const [name, value, unit, goal] of rows) {
    const verdict = goal === undefined ? "" : value <= goal ? `  below ${goal}` : `  ABOVE ${goal}`;
    process.stdout.write(`${name.padEnd(44)}${value.toFixed(value < 100 ? 1 : 0).padStart(9)} ${unit}${verdict}\n`);
  }
}

async function firstLine(stream) {
  for await (const line of createInterface({ input: stream })) return line;
  throw new Error("the stage did not start");
}
