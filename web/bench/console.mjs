// Measures the console in a browser, on a stage with a long log:
//
//   make build && go build -o bin/stage ./web/stage
//   node web/bench/console.mjs [--lines 1000000] [--rounds 3] [--json out.json]
//
// Each round measures a page with nothing to do as well, right beside: what the
// browser and the machine take by themselves. Figures are medians of the rounds.
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
    rounds: { type: "string", default: "3" },
  },
});
const lines = Number(flags.lines);
const seconds = Number(flags.seconds);
const rounds = Number(flags.rounds);

/** What each figure must stay below. */
const goals = { loadKB: 700, interactiveMs: 1500, frameMs: 33, tabMB: 300 };

const stage = spawn(flags.stage, ["-slipway", flags.slipway, "-log-lines", flags.lines], { stdio: ["pipe", "pipe", "inherit"] });
const about = JSON.parse(await firstLine(stage.stdout));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run", "--enable-precise-memory-info"],
});
try {
  const session = await signIn();
  const all = [];
  for (let i = 0; i < rounds; i++) {
    const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
    await context.addInitScript((s) => window.origin !== "null" && sessionStorage.setItem("slipway.session", s), session);
    all.push({ load: await load(context), floor: await floor(context), log: await log(context) });
    await context.close();
  }
  const result = { lines, rounds, ...medians(all), all };
  report(result);
  if (flags.json !== undefined) writeFileSync(flags.json, JSON.stringify(result, null, 2) + "\n");
} finally {
  await browser.close();
  stage.stdin.end();
}

/** Signs in by the one-time link and returns the session as a tab keeps it. */
async function signIn() {
  const page = await browser.newPage();
  await page.goto(about.console);
  await page.getByRole("heading", { level: 1, name: "Home" }).waitFor();
  const session = await page.evaluate(() => sessionStorage.getItem("slipway.session"));
  await page.close();
  return session;
}

/**
 * The home page of somebody who is signed in, with nothing in the cache: bytes,
 * and when it can be used. It is shown once its heading, its figures and the
 * recent builds are there, and interactive at the start of the first 50 ms from
 * then on in which nothing kept the page for more than 20.
 */
async function load(context) {
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  await cdp.send("Network.enable");
  await cdp.send("Network.setCacheDisabled", { cacheDisabled: true });
  let bytes = 0;
  cdp.on("Network.loadingFinished", (e) => (bytes += e.encodedDataLength));
  await page.addInitScript(() => {
    const there = () =>
      document.querySelector("h1")?.textContent === "Home" && document.querySelector("main table a, [class*=content] table a") !== null && !/In progress\s*–/.test(document.body.textContent);
    window.load_ = new Promise((resolve) => {
      let shown = 0;
      let quiet = 0;
      let last = performance.now();
      const look = () => {
        const now = performance.now();
        if (now - last > 20) quiet = now;
        last = now;
        if (shown === 0 && document.body !== null && there()) shown = quiet = performance.now();
        if (shown !== 0 && now - quiet >= 50) resolve({ shown, interactive: quiet });
        else setTimeout(look, shown === 0 ? 10 : 0);
      };
      look();
    });
  });
  await page.goto(`${about.url}/console/`);
  const times = await page.evaluate(() => window.load_);
  await page.waitForTimeout(1000);
  await page.close();
  return { kilobytes: bytes / 1000, ...times };
}

/** A page of the same browser with nothing to do: what frames take at least. */
async function floor(context) {
  const page = await context.newPage();
  await page.setContent('<div id="s" style="height:600px;overflow:auto"><div style="height:15000000px">x</div></div>');
  const wheeled = await measured(page, () => wheel(page, page.locator("#s")));
  const dragged = await measured(page, () => drag(page, page.locator("#s")));
  await page.close();
  return { wheeled, dragged };
}

/** The log page, while somebody goes through all of it. */
async function log(context) {
  const page = await context.newPage();
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
  const rssMB = await largestRenderer();
  await page.close();
  return {
    wheeled,
    dragged,
    settled,
    heapMB: metric("JSHeapUsedSize") / 1e6,
    nodes: metric("Nodes"),
    rssMB,
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

/** Of results of the same shape one that has the median of each number. */
function medians(all) {
  const [first] = all;
  if (typeof first === "number") return all.toSorted((a, b) => a - b)[Math.floor((all.length - 1) / 2)];
  return Object.fromEntries(Object.keys(first).map((key) => [key, medians(all.map((one) => one[key]))]));
}

function report({ load, floor, log }) {
  const frames = (what, ours, empty) =>
    ["p50", "p95", "p99", "max"].flatMap((p) => [
      [`log, ${what}: ${p}`, ours[p], "ms", p === "max" ? undefined : goals.frameMs],
      [`  of an empty page`, empty[p], "ms"],
      [`  ratio`, ours[p] / empty[p], "×"],
    ]);
  const rows = [
    ["first load, compressed", load.kilobytes, "kB", goals.loadKB],
    ["home page shown", load.shown, "ms"],
    ["home page interactive", load.interactive, "ms", goals.interactiveMs],
    ...frames("wheel", log.wheeled, floor.wheeled),
    ...frames("scrollbar", log.dragged, floor.dragged),
    ["log: lines there after letting go", log.settled, "ms"],
    ["log: heap in use", log.heapMB, "MB"],
    ["log: the tab's process", log.rssMB, "MB", goals.tabMB],
    ["log: nodes of the document", log.nodes, ""],
  ];
  process.stdout.write(`Console, a log of ${lines.toLocaleString("en")} lines, median of ${rounds} rounds\n`);
  for (const [name, value, unit, goal] of rows) {
    const verdict = goal === undefined ? "" : value <= goal ? `  below ${goal}` : `  ABOVE ${goal}`;
    process.stdout.write(`${name.padEnd(44)}${value.toFixed(value < 100 ? 1 : 0).padStart(9)} ${unit}${verdict}\n`);
  }
}

async function firstLine(stream) {
  for await (const line of createInterface({ input: stream })) return line;
  throw new Error("the stage did not start");
}
