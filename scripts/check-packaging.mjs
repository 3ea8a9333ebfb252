// Packs every public package and checks the tarball with publint and attw (ES modules only).
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const run = (args, cwd) =>
  spawnSync('npx', ['-y', 'pnpm@12', ...args], { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const scratch = mkdtempSync(join(tmpdir(), 'voxface-pack-'));
let failed = 0;
for (const name of readdirSync('packages')) {
  const directory = resolve('packages', name);
  const manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
  if (manifest.private) continue;
  const packed = run(['pack', '--pack-destination', scratch], directory);
  const tarball = readdirSync(scratch).find((file) => file.startsWith(`voxface-${name}-`));
  if (packed.status !== 0 || !tarball) {
    console.error(`${manifest.name}: pack failed\n${packed.stdout}${packed.stderr}`);
    failed++;
    continue;
  }
  const checks = [
    ['exec', 'publint', '--strict', join(scratch, tarball)],
    ['exec', 'attw', '--profile', 'esm-only', join(scratch, tarball)],
  ];
  for (const check of checks) {
    const result = run(check, process.cwd());
    console.log(`${result.status === 0 ? 'ok    ' : 'FAILED'} ${manifest.name} ${check[1]}`);
    if (result.status !== 0) {
      console.error(result.stdout + result.stderr);
      failed++;
    }
  }
}
rmSync(scratch, { recursive: true });
process.exit(failed ? 1 : 0);
