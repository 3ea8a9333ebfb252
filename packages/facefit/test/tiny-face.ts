import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { FaceModel } from '../src/index.ts';
import { openFaceModel } from '../src/node.ts';
import golden from './golden/linear-basis.json' with { type: 'json' };

/** The bytes of one of the golden file's archives. */
export function archive(kind: 'bfm' | 'deep3d' | 'flame' | 'struct'): Uint8Array {
  return new Uint8Array(Buffer.from(golden[kind], 'base64'));
}

/** A made-up morphable face of 194 vertices, so that tests need no data. */
export async function openTinyFace(): Promise<FaceModel> {
  const folder = mkdtempSync(path.join(tmpdir(), 'voxface-'));
  writeFileSync(path.join(folder, 'tiny.npz'), archive('flame'));
  const model = await openFaceModel(path.join(folder, 'tiny.npz'));
  rmSync(folder, { recursive: true });
  return model;
}
