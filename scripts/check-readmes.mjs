// Runs the first JavaScript block of every package's README against the sources, in a folder that holds a photo and links
// to the data sets. Usage: node scripts/check-readmes.mjs [PACKAGE...]
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const DATA = process.env.VOXFACE_DATA ?? '../shared/data';
const PHOTO = 'aflw2000-3d/image00050.jpg';
const NEEDS_DATA = /photo\.jpg|300w\/|ict-facekit/;

const loader = import.meta.resolve('tsx');
const chosen = process.argv.slice(2);
const names = chosen.length > 0 ? chosen : readdirSync('packages');
let failed = 0;
for (const name of names) {
  const block = readFileSync(`packages/${name}/README.md`, 'utf8').match(/```js\n(.*?)```/s)?.[1];
  if (block === undefined || name === 'test-utils') continue;
  if (NEEDS_DATA.test(block) && !existsSync(DATA)) {
    console.log(`skipped @voxface/${name}: no data at ${DATA} (set VOXFACE_DATA)`);
    continue;
  }
  const folder = mkdtempSync(join(tmpdir(), 'voxface-readme-'));
  if (existsSync(DATA)) {
    for (const set of ['300w', 'ict-facekit']) symlinkSync(resolve(DATA, set), join(folder, set));
    symlinkSync(resolve(DATA, PHOTO), join(folder, 'photo.jpg'));
  }
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
  console.log(`${status === 0 ? 'ok     ' : 'FAILED '} @voxface/${name}\n${stdout.replace(/^/gm, '    ')}`);
  if (status !== 0) {
    console.error(stderr);
    failed++;
  }
}
process.exit(failed ? 1 : 0);
