// What the tests that mutants are tried with need of vitest: its own `expect`, and a tree of tests that can be run again.
import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { format } from 'node:util';

const own = createRequire(realpathSync(new URL('../node_modules/vitest/package.json', import.meta.url)));
const matchers = await import(own.resolve('@vitest/expect'));
const { chai } = matchers;
for (const plugin of [matchers.JestExtend, matchers.JestChaiExpect, matchers.JestAsymmetricMatchers])
  chai.use(plugin);

export const expect = Object.assign(
  (value, message) => chai.expect(value, message),
  chai.expect,
  globalThis[matchers.ASYMMETRIC_MATCHERS_OBJECT],
);
matchers.setState({ assertionCalls: 0, isExpectingAssertions: false }, expect);
globalThis[matchers.GLOBAL_EXPECT] = expect;

const HOOKS = ['beforeAll', 'afterAll', 'beforeEach', 'afterEach'];
const newSuite = (name, parent) => ({
  name,
  parent,
  tests: [],
  suites: [],
  ...Object.fromEntries(HOOKS.map((hook) => [hook, []])),
});
const root = newSuite('');
let current = root;

const hookOf = (name) => (fn) => {
  current[name].push(fn);
};
export const beforeAll = hookOf('beforeAll');
export const afterAll = hookOf('afterAll');
export const beforeEach = hookOf('beforeEach');
export const afterEach = hookOf('afterEach');

const addTest = (name, ...rest) => {
  const body = rest.find((value) => typeof value === 'function');
  current.tests.push({ id: `${pathOf(current)} > ${name} #${current.tests.length}`, body });
};
const addSuite = (name, ...rest) => {
  const body = rest.find((value) => typeof value === 'function');
  const suite = newSuite(name, current);
  current.suites.push(suite);
  current = suite;
  body();
  current = suite.parent;
};

/** `it` and `describe` with what may follow them. */
function withVariants(add) {
  const none = () => {};
  const each =
    (table) =>
    (name, ...rest) => {
      const body = rest.find((value) => typeof value === 'function');
      for (const row of table) {
        const values = Array.isArray(row) ? row : [row];
        add(format(name, ...values.slice(0, 1)), () => body(...values));
      }
    };
  return Object.assign((...args) => add(...args), {
    each,
    skip: none,
    todo: none,
    skipIf: (condition) => (condition ? Object.assign(none, { each: () => none }) : variants(add)),
    runIf: (condition) => (condition ? variants(add) : none),
  });
}
const made = new Map();
function variants(add) {
  if (!made.has(add)) made.set(add, withVariants(add));
  return made.get(add);
}
export const it = variants(addTest);
export const test = variants(addTest);
export const describe = variants(addSuite);

function pathOf(suite) {
  return suite.parent === undefined ? '' : [pathOf(suite.parent), suite.name].filter(Boolean).join(' > ');
}

/** What `onTest` hears before the preparation of a suite: this and the suite's path, which its tests' identifiers start with. */
export const PREPARES = 'prepares ';

/** Loads one file's tests into a suite of its name. */
export async function collect(file, load) {
  const suite = newSuite(file, root);
  root.suites.push(suite);
  current = suite;
  await load();
  current = root;
}

/**
 * Runs the tests, or those of `only`; `onTest` hears the identifier of each before it starts and undefined after it.
 * @returns Stryker's results: status 0 passed, 1 failed.
 */
export async function runTests({ only, bail = false, onTest = () => {} }) {
  const results = [];
  const isWanted = ({ id }) => only === undefined || only.has(id);
  const has = (suite) => suite.tests.some(isWanted) || suite.suites.some(has);
  const isOver = () => bail && results.some(({ status }) => status === 1);
  const record = async (id, run) => {
    const start = performance.now();
    let failureMessage;
    onTest(id);
    try {
      await run();
    } catch (error) {
      failureMessage = error?.message ?? String(error);
    }
    onTest(undefined);
    const timeSpentMs = Math.round(performance.now() - start);
    results.push({
      id,
      name: id,
      timeSpentMs,
      status: failureMessage === undefined ? 0 : 1,
      ...(failureMessage !== undefined && { failureMessage }),
    });
  };
  const runSuite = async (suite, before, after) => {
    if (!has(suite)) return;
    const [own, others] = [
      [...before, ...suite.beforeEach],
      [...suite.afterEach, ...after],
    ];
    try {
      onTest(`${PREPARES}${pathOf(suite)}`);
      for (const hook of suite.beforeAll) await hook();
      onTest(undefined);
    } catch (error) {
      // Every test of the suite fails with its preparation.
      for (const { id } of suite.tests.filter(isWanted)) {
        await record(id, () => {
          throw error;
        });
      }
      if (bail) return;
    }
    for (const entry of suite.tests.filter(isWanted)) {
      if (isOver()) break;
      await record(entry.id, async () => {
        try {
          for (const hook of own) await hook();
          await entry.body();
        } finally {
          for (const hook of others) await hook();
        }
      });
    }
    for (const inner of suite.suites) if (!isOver()) await runSuite(inner, own, others);
    for (const hook of suite.afterAll) await hook();
  };
  await runSuite(root, [], []);
  return results;
}
