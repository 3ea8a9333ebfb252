import { readFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * The 68 landmark vertices of a morphable face, 0-based: the given ones, else those of the JSON list beside the file
 * (`NAME.landmarks.json` for `NAME.mat`, `NAME.npz` or the folder NAME), else the file's own.
 * @throws Error when there are none, not 68, or one is no vertex.
 */
export async function readLandmarkVertices(
  target: string,
  sources: { given?: readonly number[]; own?: readonly number[]; vertices: number },
): Promise<readonly number[]> {
  const { vertices } = sources;
  const beside = `${target.replace(/\.(mat|npz)$/i, '').replace(/[\\/]+$/, '')}.landmarks.json`;
  const landmarks = sources.given ?? (await readList(beside)) ?? sources.own;
  if (!landmarks) {
    throw new Error(
      `readLandmarkVertices: expected the 68 landmark vertices of ${target}, got none (write them as a JSON list, 0-based, to ${path.basename(beside)} beside it)`,
    );
  }
  if (landmarks.length !== 68) {
    throw new Error(
      `readLandmarkVertices: expected 68 landmark vertices in iBUG order, got ${landmarks.length} for ${target}`,
    );
  }
  const wrong = landmarks.find((index) => !(Number.isInteger(index) && index >= 0 && index < vertices));
  if (wrong !== undefined) {
    throw new Error(
      `readLandmarkVertices: landmark vertices must be in 0..${vertices - 1}, got ${wrong} for ${target}`,
    );
  }
  return landmarks;
}

async function readList(file: string): Promise<number[] | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const list: unknown = JSON.parse(text);
    if (Array.isArray(list) && list.every((value) => typeof value === 'number')) return list;
  } catch {}
  throw new Error(`readLandmarkVertices: expected a JSON list of vertex numbers in ${file}`);
}
