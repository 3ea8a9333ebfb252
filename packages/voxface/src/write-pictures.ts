import { writeFile } from 'node:fs/promises';
import type { Pixels } from '@voxface/landmarks';
import type { FoundFace } from './write-faces.ts';

/** Writes `stem-overlay.png` and `stem-1-view3d.png`, ... as asked; returns the files. */
export async function writePictures(
  stem: string,
  image: Pixels,
  faces: readonly FoundFace[],
  options: { overlay?: boolean; view3d?: boolean },
): Promise<string[]> {
  if (!options.overlay && !options.view3d) return [];
  const [{ view3dSheetSvg }, { overlayPng, renderPng }] = await Promise.all([
    import('@voxface/plots'),
    import('@voxface/plots/node'),
  ]);
  const written: string[] = [];
  if (options.overlay) {
    const file = `${stem}-overlay.png`;
    const marked = faces.map((face, i) => ({ landmarks: face.landmarks, box: face.box, id: i + 1 }));
    await writeFile(file, await overlayPng(image, marked));
    written.push(file);
  }
  if (options.view3d) {
    for (const [i, face] of faces.entries()) {
      const file = `${stem}-${i + 1}-view3d.png`;
      await writeFile(file, await renderPng(view3dSheetSvg(face.landmarks)));
      written.push(file);
    }
  }
  return written;
}
