// What the checks of README snippets share: the block, and the folder that it runs in.
import { existsSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';

const DATA = process.env.VOXFACE_DATA ?? '../shared/data';
const PHOTO = 'aflw2000-3d/image00050.jpg';
const NEEDS_DATA = /photo\.jpg|300w\/|ict-facekit/;

/** The first JavaScript block of a README, or undefined. */
export function readFirstBlock(text) {
  return text.match(/```js\n(.*?)```/s)?.[1];
}

/** True when a block needs data that is not there. */
export function skipsWithoutData(block) {
  return NEEDS_DATA.test(block) && !existsSync(DATA);
}

/** Puts a photo and the datasets into a folder, under the names that the READMEs use. */
export function linkData(folder) {
  if (!existsSync(DATA)) return;
  for (const set of ['300w', 'ict-facekit']) symlinkSync(resolve(DATA, set), join(folder, set));
  symlinkSync(resolve(DATA, PHOTO), join(folder, 'photo.jpg'));
}
