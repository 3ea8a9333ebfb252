// The test command of the README: build, all fast lanes, package sizes, and one closing line with the counts.
// VOXFACE_REQUIRE_BROWSER=1, VOXFACE_REQUIRE_WEBGPU=1 and VOXFACE_REQUIRE_DATA=1 turn a missing browser, WebGPU adapter
// (in Node) or data set into a failure.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const pnpm = ['npx', ['-y', 'pnpm@12', 'exec']];
const run = (command, ...args) =>
  spawnSync(pnpm[0], [...pnpm[1], command, ...args], { stdio: ['ignore', 'inherit', 'inherit'] }).status ===
  0;

const chromium = process.env.VOXFACE_CHROMIUM ?? '/usr/bin/chromium';
const requireBrowser = Boolean(process.env.VOXFACE_REQUIRE_BROWSER);
const hasBrowser = existsSync(chromium);
if (!hasBrowser) {
  console.log(`browser lane SKIPPED: no Chromium at ${chromium} (install it, or set VOXFACE_CHROMIUM)`);
}

const problems = [];
const counts = { passed: 0, failed: 0, skipped: 0 };
const scratch = mkdtempSync(join(tmpdir(), 'voxface-test-'));

if (!run('turbo', 'run', 'build', '--output-logs=errors-only')) problems.push('build');
for (const lane of ['unit', 'wasm', 'webgpu', 'browser', 'page']) {
  if ((lane === 'browser' || lane === 'page') && !hasBrowser) {
    if (requireBrowser) problems.push(`${lane} lane: Chromium is required and missing`);
    continue;
  }
  const report = join(scratch, `${lane}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  if (!run('vitest', 'run', '--project', lane, '--passWithNoTests', ...reporters))
    problems.push(`${lane} tests`);
  if (existsSync(report)) {
    const json = JSON.parse(readFileSync(report, 'utf8'));
    counts.passed += json.numPassedTests;
    counts.failed +=
      json.numFailedTests + (json.numFailedTestSuites > 0 && json.numFailedTests === 0 ? 1 : 0);
    counts.skipped += json.numPendingTests + json.numTodoTests;
  } else {
    problems.push(`${lane} lane wrote no report`);
  }
}
if (!run('node', 'scripts/check-sizes.mjs')) problems.push('package sizes');
rmSync(scratch, { recursive: true });

if (problems.length) console.error(`FAILED: ${problems.join('; ')}`);
console.log(
  `${counts.passed} passed, ${Math.max(counts.failed, problems.length ? 1 : 0)} failed, ${counts.skipped} skipped`,
);
process.exit(problems.length ? 1 : 0);
