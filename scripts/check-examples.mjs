// Runs every `@example` of the packages' sources, in a folder that holds a photo; a line `console.log(...); // => TEXT` must print TEXT.
// Examples of pages (those that speak of `document`) are listed and left to the page tests. Usage: node scripts/check-examples.mjs [PACKAGE...]
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { linkData, skipsWithoutData } from './readme-blocks.mjs';

const loader = import.meta.resolve('tsx');
const chosen = process.argv.slice(2);
const counts = { ok: 0, skipped: 0, failed: 0 };
for (const name of chosen.length > 0 ? chosen : readdirSync('packages')) {
  for (const file of sourcesOf(`packages/${name}/src`)) {
    for (const { owner, code } of examplesOf(readFileSync(file, 'utf8'))) {
      const title = `${name}: ${owner}`;
      if (/\bdocument\b/.test(code) || skipsWithoutData(code)) {
        console.log(
          `skipped ${title} (${/\bdocument\b/.test(code) ? 'a page' : 'no data, set VOXFACE_DATA'})`,
        );
        counts.skipped++;
        continue;
      }
      const wrong = run(name, code);
      counts[wrong === undefined ? 'ok' : 'failed']++;
      console.log(
        `${wrong === undefined ? 'ok     ' : 'FAILED '} ${title}${wrong === undefined ? '' : `\n${wrong}`}`,
      );
    }
  }
}
console.log(`${counts.ok} examples ran, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exit(counts.failed > 0 ? 1 : 0);

function sourcesOf(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .filter((file) => file.endsWith('.ts'))
    .sort()
    .map((file) => join(folder, file));
}

/** The code of each `@example`, and the function that it stands above. */
function examplesOf(text) {
  return [...text.matchAll(/@example\n((?: +\*.*\n)+?) +\*\/\nexport (?:async )?function\*? (\w+)/g)].flatMap(
    ([, comment, owner]) => {
      const code = comment.replace(/^ +\* ?/gm, '').match(/```js\n(.*?)```/s)?.[1];
      return code === undefined ? [] : [{ owner, code }];
    },
  );
}

/** What is wrong, or undefined. */
function run(name, code) {
  const folder = mkdtempSync(join(tmpdir(), 'voxface-example-'));
  linkData(folder);
  // The command's package depends on nearly all the others, so their names resolve from there.
  const home = existsSync(`packages/voxface/node_modules/@voxface/${name}`) ? 'voxface' : name;
  const script = resolve(`packages/${home}/.example-${name}.mjs`);
  writeFileSync(script, code);
  const flags = ['--conditions=voxface-source', '--import', loader, script];
  const { status, stdout, stderr } = spawnSync(process.execPath, flags, { cwd: folder, encoding: 'utf8' });
  rmSync(script);
  rmSync(folder, { recursive: true });
  if (status !== 0) return stderr;
  const printed = stdout.trim().split('\n');
  const expected = [...code.matchAll(/console\.log\(.*\);(?: \/\/ => (.*))?$/gm)].map(([, text]) => text);
  const at = expected.findIndex((text, i) => text !== undefined && printed[i] !== text);
  return at < 0 ? undefined : `    expected ${expected[at]}, printed ${printed[at]}`;
}
