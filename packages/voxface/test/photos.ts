import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setupBackend } from '@voxface/backend';
import { createFaceShapeModel } from '@voxface/models';
import { saveModel } from '@voxface/models/node';
import sharp from 'sharp';

/** A folder with good and bad pictures, an annotated set and a saved tiny model. */
export async function createFixtures(): Promise<{
  root: string;
  model: string;
  at: (name: string) => string;
}> {
  const root = mkdtempSync(join(tmpdir(), 'voxface-cli-'));
  const at = (name: string): string => join(root, name);
  const jpeg = await sharp({ create: { width: 61, height: 47, channels: 3, background: '#a86' } })
    .jpeg()
    .toBuffer();
  const png = await sharp({ create: { width: 33, height: 52, channels: 3, background: '#468' } })
    .png()
    .toBuffer();
  writeFileSync(at('good.jpg'), jpeg);
  writeFileSync(at('truncated.jpg'), jpeg.subarray(0, jpeg.length >> 1));
  writeFileSync(at('text.jpg'), 'this is no picture\n');
  writeFileSync(at('png-inside.jpg'), png);
  mkdirSync(at('empty'));
  writeAnnotatedSet(at('annotated'), jpeg);
  await setupBackend('cpu');
  const model = createFaceShapeModel('tiny');
  await saveModel(model, at('model'));
  model.dispose();
  return { root, model: at('model'), at };
}

function writeAnnotatedSet(folder: string, jpeg: Buffer): void {
  mkdirSync(folder);
  for (const id of ['a', 'b', 'c']) {
    const rows = Array.from(
      { length: 68 },
      (_, i) => `${10 + (i % 9) * 4}.5 ${8 + Math.floor(i / 9) * 3 + (id.charCodeAt(0) % 3)}.25`,
    );
    writeFileSync(join(folder, `${id}.jpg`), jpeg);
    writeFileSync(join(folder, `${id}.pts`), `version: 1\nn_points: 68\n{\n${rows.join('\n')}\n}\n`);
  }
}
