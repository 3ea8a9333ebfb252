// Runs the first JavaScript block of every package's README against the sources, in a folder that holds a photo and links
// to the data sets. Usage: node scripts/check-readmes.mjs [PACKAGE...]
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { linkData, readFirstBlock, skipsWithoutData } from './readme-blocks.mjs';

const loader = import.meta.resolve('tsx');
const chosen = process.argv.slice(2);
const names = chosen.length > 0 ? chosen : readdirSync('packages');
let failed = 0;
for (const name of names) {
  if (!existsSync(`packages/${name}/README.md`)) continue;
  const block = readFirstBlock(readFileSync(`packages/${name}/README.md`, 'utf8'));
  if (block === undefined || name === 'test-utils') continue;
  if (skipsWithoutData(block)) {
    console.log(`skipped ${name}: no data (set VOXFACE_DATA)`);
    continue;
  }
  const folder = mkdtempSync(join(tmpdir(), 'voxface-readme-'));
  linkData(folder);
  // The command's package depends on nearly all the others, so their names resolve from there.
  const home = existsSync(`packages/voxface/node_modules/@voxface/${name}`) ? 'voxface' : name;
  const script = resolve(`packages/${home}/.readme-${name}.mjs`);
  writeFileSync(script, block);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--conditions=voxface-source', '--import', loader, script],
    { cwd: folder, encoding: 'utf8' },
  );
  rmSync(script);
  rmSync(folder, { recursive: true });
  console.log(`${status === 0 ? 'ok     ' : 'FAILED '} ${name}\n${stdout.replace(/^/gm, '    ')}`);
  if (status !== 0) {
    console.error(stderr);
    failed++;
  }
}
process.exit(failed ? 1 : 0);
