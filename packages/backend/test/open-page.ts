import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { extname, join } from 'node:path';
import { CHROMIUM, CHROMIUM_FLAGS, WEBGPU_FLAGS } from '@voxface/test-utils/node';
import { chromium, type Page } from 'playwright-core';

const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
};

/** Headers that make a page cross-origin isolated, so that it may share memory between threads. */
const ISOLATION = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

function serve(folder: string, extra: Record<string, string>): Promise<Server> {
  const server = createServer((request, response) => {
    const path = new URL(request.url!, 'http://x').pathname;
    const file = join(folder, path === '/' ? 'index.html' : path);
    if (!existsSync(file)) return response.writeHead(404).end();
    const type = TYPES[extname(file)] ?? 'application/octet-stream';
    response.writeHead(200, { 'content-type': type, ...extra });
    return response.end(readFileSync(file));
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

/** What a page left in `globalThis.report`, and what it did meanwhile. */
export interface PageOutcome<T> {
  report: T;
  /** Paths it asked for. */
  requests: string[];
  /** Workers that were running at the end. */
  workers: number;
}

/**
 * Serves a folder, opens its index page in Chromium and waits until the page has set `globalThis.report`.
 *
 * @param site the folder, or the address of a page that is served already.
 * @param options.query query of the page's address; `isIsolated`: serve it cross-origin isolated; `policy`: its
 * content security policy.
 * @throws with the page's own error when it throws, or when it does not report in time.
 */
export async function openPage<T>(
  site: string,
  options: { query?: string; isIsolated?: boolean; policy?: string; timeout?: number } = {},
): Promise<PageOutcome<T>> {
  const headers = {
    ...(options.isIsolated && ISOLATION),
    ...(options.policy && { 'content-security-policy': options.policy }),
  };
  const server = site.startsWith('http') ? undefined : await serve(site, headers);
  const address = server?.address() as { port: number } | undefined;
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [...CHROMIUM_FLAGS, ...WEBGPU_FLAGS],
  });
  try {
    const page: Page = await browser.newPage();
    const requests: string[] = [];
    page.on('request', (request) => requests.push(new URL(request.url()).pathname));
    const failure = new Promise<never>((_, reject) => {
      page.on('pageerror', ({ message }) =>
        reject(new Error(`openPage: the page must report, it threw: ${message}`)),
      );
    });
    failure.catch(() => {});
    const origin = address === undefined ? site : `http://127.0.0.1:${address.port}/`;
    await page.goto(`${origin}${options.query ?? ''}`);
    const report = await Promise.race([pollReport<T>(page, options.timeout ?? 240_000), failure]);
    return { report, requests, workers: page.workers().length };
  } finally {
    await browser.close();
    server?.close();
  }
}

/** Asks the page again and again, by calls that its policy has no say in. */
async function pollReport<T>(page: Page, timeout: number): Promise<T> {
  for (const end = Date.now() + timeout; Date.now() < end; ) {
    const report = await page.evaluate(() => (globalThis as { report?: unknown }).report);
    if (report !== undefined) return report as T;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`openPage: the page must report, it was silent for ${timeout / 1000} s`);
}
