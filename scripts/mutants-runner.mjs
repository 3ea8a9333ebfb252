// A test runner for Stryker that keeps everything in one process: the tests are loaded once (TypeScript by tsx, `vitest` by
// mutants-vitest.mjs), and a mutant is switched on between two runs of those that cover it. Stryker's runner for vitest starts
// a worker and loads all modules again for each mutant: a second of processor time, where these tests take a hundredth.
import { readdirSync } from 'node:fs';
import { register } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const SHIM = new URL('./mutants-vitest.mjs', import.meta.url).href;

class OneProcessRunner {
  /** Globs of test files, relative to the sandbox. */
  static patterns = (process.env.VOXFACE_MUTANTS ?? '').split(',');

  capabilities() {
    // Modules that are loaded stay: what runs while they load cannot be changed.
    return { reloadEnvironment: false };
  }

  async init() {
    const hook = `export async function resolve(name, context, next) {
      return name === 'vitest' ? { url: ${JSON.stringify(SHIM)}, shortCircuit: true } : next(name, context);
    }`;
    register(`data:text/javascript,${encodeURIComponent(hook)}`);
    this.space = globalThis.__stryker__ ??= {};
    this.shim = await import(SHIM);
    for (const file of OneProcessRunner.patterns.flatMap(listTests)) {
      await this.shim.collect(file, () => import(pathToFileURL(resolve(file)).href));
    }
  }

  async dryRun() {
    this.space.activeMutant = undefined;
    const tests = await this.shim.runTests({
      onTest: (id) => {
        this.space.currentTestId = id;
      },
    });
    const mutantCoverage = assignCoverage(this.space.mutantCoverage, tests, this.shim.PREPARES);
    return { status: 'complete', tests, mutantCoverage };
  }

  async mutantRun({ testFilter, activeMutant, hitLimit, disableBail }) {
    Object.assign(this.space, { activeMutant: activeMutant.id, hitCount: 0, hitLimit });
    const tests = await this.shim.runTests({ only: testFilter && new Set(testFilter), bail: !disableBail });
    this.space.activeMutant = undefined;
    if (hitLimit !== undefined && this.space.hitCount > hitLimit) {
      return { status: 'timeout', reason: `hit limit ${hitLimit}` };
    }
    const failed = tests.filter(({ status }) => status === 1);
    return failed.length === 0
      ? { status: 'survived', nrOfTests: tests.length }
      : {
          status: 'killed',
          killedBy: failed.map(({ id }) => id),
          failureMessage: failed[0].failureMessage,
          nrOfTests: tests.length,
        };
  }
}

/**
 * What a suite's preparation covers is covered by each of its tests, for it is run again with them. What also runs while modules
 * load is tried by the tests alone: Stryker would start a process for each such mutant.
 */
function assignCoverage({ perTest, static: loading }, tests, prepares) {
  const all = {};
  const add = (id, counts) => {
    const own = (all[id] ??= {});
    for (const [mutant, count] of Object.entries(counts)) own[mutant] = (own[mutant] ?? 0) + count;
  };
  for (const [id, counts] of Object.entries(perTest)) {
    if (!id.startsWith(prepares)) add(id, counts);
    else for (const test of tests) if (test.id.startsWith(id.slice(prepares.length))) add(test.id, counts);
  }
  const covered = new Set(Object.values(all).flatMap(Object.keys));
  return {
    perTest: all,
    static: Object.fromEntries(Object.entries(loading).filter(([mutant]) => !covered.has(mutant))),
  };
}

/** The file, or for `FOLDER/*.test.ts` the fast tests in a folder. */
function listTests(pattern) {
  if (!basename(pattern).startsWith('*')) return [pattern];
  const names = readdirSync(dirname(pattern)).filter((name) => /^[^.]+\.test\.ts$/.test(name));
  return names.map((name) => join(dirname(pattern), name));
}

export const strykerPlugins = [
  { kind: 'TestRunner', name: 'one-process', injectableClass: OneProcessRunner },
];
