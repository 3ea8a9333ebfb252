// Tests that are gone between two commits, by name: read from the sources, so that no old commit has to be installed and built.
// A test is its title with those of the describe blocks around it; the file does not count. Titles that only changed words are set
// beside each other. Usage: node scripts/list-tests.mjs OLD [NEW=HEAD] [--json]
import { execFileSync } from 'node:child_process';
import ts from 'typescript';

const [old, now = 'HEAD'] = process.argv.slice(2).filter((arg) => !arg.startsWith('--'));
const [before, after] = [listTests(old), listTests(now)];
const gone = [...before].filter(([name]) => !after.has(name));
const fresh = new Map([...after].filter(([name]) => !before.has(name)));
const pairs = [];
const rest = [];
for (const [name, file] of gone) {
  const best = [...fresh.keys()]
    .map((other) => ({ other, score: likeness(name, other) }))
    .sort((a, b) => b.score - a.score)[0];
  if (best !== undefined && best.score >= 0.6) {
    pairs.push({ name, file, other: best.other, to: fresh.get(best.other) });
    fresh.delete(best.other);
  } else rest.push({ name, file });
}
if (process.argv.includes('--json')) console.log(JSON.stringify({ pairs, rest, fresh: [...fresh] }, null, 1));
else {
  console.log(
    `${before.size} tests at ${old}, ${after.size} at ${now}; ${pairs.length} other words, ${rest.length} gone`,
  );
  for (const { name, file, other, to } of pairs)
    console.log(`other words: ${file}: ${name}\n          -> ${to}: ${other}`);
  for (const { name, file } of rest) console.log(`gone: ${file}: ${name}`);
}

/** Title -> file of every test of a commit. */
function listTests(commit) {
  const git = (...args) => execFileSync('git', args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  const files = git('ls-tree', '-r', '--name-only', commit)
    .split('\n')
    .filter((file) => /\.test\.ts$/.test(file));
  const tests = new Map();
  for (const file of files) {
    const source = ts.createSourceFile(file, git('show', `${commit}:${file}`), ts.ScriptTarget.ES2022, true);
    visit(source, []);
    function visit(node, path) {
      const call = ts.isCallExpression(node)
        ? /^(describe|it|test|bench)\b/.exec(node.expression.getText())?.[1]
        : undefined;
      const [title] = call ? node.arguments : [];
      const isTitle =
        title !== undefined && (ts.isStringLiteralLike(title) || ts.isTemplateExpression(title));
      if (!isTitle) {
        ts.forEachChild(node, (child) => visit(child, path));
        return;
      }
      const names = [...path, ts.isTemplateExpression(title) ? title.getText() : title.text];
      if (call !== 'describe') tests.set(names.join(' > '), file);
      for (const argument of node.arguments.slice(1)) visit(argument, call === 'describe' ? names : path);
    }
  }
  return tests;
}

/** Share of words that two titles have in common (Dice), 0..1. */
function likeness(a, b) {
  const [first, second] = [words(a), words(b)];
  const common = [...first].filter((word) => second.has(word)).length;
  return (2 * common) / (first.size + second.size);
}

function words(text) {
  return new Set(text.toLowerCase().match(/[\p{L}\d]+/gu) ?? []);
}
