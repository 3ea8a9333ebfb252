import { execFileSync, spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

// What the README says under "Three lines" of CommonJS, against the built packages.

const root = fileURLToPath(new URL('../../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'voxface-commonjs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Manifest {
  name: string;
  private?: boolean;
  exports: Record<string, unknown>;
}
const packages = readdirSync(join(root, 'packages'))
  .map((name) => ({
    path: join(root, 'packages', name),
    manifest: JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')) as Manifest,
  }))
  .filter(({ manifest }) => !manifest.private);

mkdirSync(join(folder, 'node_modules', '@voxface'), { recursive: true });
for (const { path, manifest } of packages) symlinkSync(path, join(folder, 'node_modules', manifest.name));
writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');

/** Every entry that runs in Node without a peer that must be installed by hand. */
const entries = packages.flatMap(({ manifest }) =>
  Object.keys(manifest.exports)
    .filter((entry) => !/package.json|\*/.test(entry))
    .map((entry) => manifest.name + entry.slice(1)),
);

describe('CommonJS', () => {
  it('loads every entry with require()', () => {
    expect(entries.length).toBeGreaterThan(20);
    const file = join(folder, 'load.cjs');
    writeFileSync(
      file,
      `for (const entry of ${JSON.stringify(entries)}) {
        if (Object.keys(require(entry)).length === 0) throw new Error(entry + ' exports nothing');
      }
      console.log(require('@voxface/landmarks').createLandmarks([1, 2, 3], 3).points.length);
      process.exit(0);`,
    );
    const said = execFileSync(process.execPath, ['--no-warnings', file], { encoding: 'utf8' });
    expect(said.trim().split('\n').at(-1)).toBe('3');
  });

  it.each([
    ['nodenext', []],
    ['esnext', ['--moduleResolution', 'bundler']],
    ['preserve', []],
  ] as const)('type-checks every entry in a CommonJS file under module %s', (module, more) => {
    const lines = entries.map((entry, i) => `import * as e${i} from '${entry}';`);
    const uses = entries.map((_, i) => `e${i}`).join(', ');
    writeFileSync(
      join(folder, 'app.ts'),
      `${lines.join('\n')}
import { createLandmarks } from '@voxface/landmarks';
export const n: number = createLandmarks([1, 2, 3], 3).points.length;
// @ts-expect-error: the types are there, not any.
export const wrong: string = createLandmarks([1, 2, 3], 3).points.length;
export const all = [${uses}];
`,
    );
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const flags = [
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      '--target',
      'es2022',
      '--module',
      module,
      ...more,
    ];
    const { status, stdout } = spawnSync(process.execPath, [tsc, ...flags, 'app.ts'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(stdout).toBe('');
    expect(status).toBe(0);
  });

  it('is said in the README', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    for (const word of ['ES modules only', 'nodenext', 'TS1479', '--experimental-vm-modules']) {
      expect(readme).toContain(word);
    }
  });
});
