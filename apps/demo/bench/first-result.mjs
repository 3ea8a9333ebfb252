// How long the built page takes to its first result, in fresh profiles of Chromium: what the build found, what its networks
// find in the same boxes, and with the detector. By the clock from the page's start, and in processor time of the whole browser.
// Usage, after a build: npx -y pnpm@12 --filter @voxface-apps/demo first-result [TIMES]
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { build, preview } from 'vite';

const times = Number(process.argv[2] ?? 5);
const root = fileURLToPath(new URL('..', import.meta.url));
const executablePath = process.env.VOXFACE_CHROMIUM ?? '/usr/bin/chromium';
/** A value of the page's `voxface`, and what it tells. */
const EVENTS = { firstPaint: 'of the build', firstOwn: 'its own', firstDetected: 'with the detector' };

const outDir = await mkdtemp(join(tmpdir(), 'voxface-first-result-'));
await build({ root, logLevel: 'error', build: { outDir } });
const server = await preview({
  root,
  logLevel: 'error',
  build: { outDir },
  preview: { port: 0, host: '127.0.0.1' },
});
const rows = [];
for (let i = 0; i < times; i++) rows.push(await open(server.resolvedUrls.local[0]));
await server.close();
await rm(outDir, { recursive: true });

console.log(`${times} times, median (least to most)`);
for (const [event, what] of Object.entries(EVENTS)) {
  console.log(`${what}: ${spread(rows, `${event}`)} s, ${spread(rows, `${event}Processor`)} s of processor`);
}

async function open(address) {
  const browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
  });
  try {
    const page = await browser.newPage();
    const idle = processorSeconds();
    await page.goto(address, { waitUntil: 'commit' });
    const row = {};
    for (const event of Object.keys(EVENTS)) {
      await page.waitForFunction(`globalThis.voxface?.${event} > 0`, undefined, {
        timeout: 300_000,
        polling: 100,
      });
      row[`${event}Processor`] = processorSeconds() - idle;
      row[event] = (await page.evaluate(`voxface.${event}`)) / 1000;
    }
    return row;
  } finally {
    await browser.close();
  }
}

/** Of all processes below this one (Linux). */
function processorSeconds() {
  const all = new Map();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      all.set(Number(name), {
        parent: Number(fields[1]),
        ticks: Number(fields[11]) + Number(fields[12]),
      });
    } catch {
      // Ended meanwhile.
    }
  }
  const isBelow = (id) => {
    for (let at = all.get(id)?.parent; at > 0; at = all.get(at)?.parent) if (at === process.pid) return true;
    return false;
  };
  return [...all].reduce((sum, [id, { ticks }]) => sum + (isBelow(id) ? ticks / 100 : 0), 0);
}

function spread(all, name) {
  const values = all.map((row) => row[name]).sort((a, b) => a - b);
  const [least, median, most] = [0, values.length >> 1, values.length - 1].map((i) => values[i].toFixed(2));
  return `${median} (${least} to ${most})`;
}
