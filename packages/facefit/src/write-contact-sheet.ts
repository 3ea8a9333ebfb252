import { writeFile } from 'node:fs/promises';
import { openPackedSet } from '@voxface/datasets/node';
import sharp from 'sharp';

const TILE = 128;
const ROWS = 12;
const COLUMNS = 9;

/**
 * Draws faces spread over a finished set as a PNG: one row per face, one tile per picture (`ID`, `ID_p1`, ...).
 * Writes nothing when the set is empty.
 */
export async function writeContactSheet(directory: string, file: string): Promise<void> {
  const set = await openPackedSet(directory).catch(() => undefined);
  if (!set) return;
  const faces = new Map<string, number[]>();
  set.ids.forEach((id, index) => {
    const face = id.replace(/_p\d+$/, '');
    faces.set(face, [...(faces.get(face) ?? []), index]);
  });
  const all = [...faces.values()];
  const count = Math.min(ROWS, all.length);
  const rows = Array.from({ length: count }, (_, k) => all[Math.floor((k * all.length) / count)]);
  const tiles = await Promise.all(
    rows.flatMap((row, y) =>
      row.slice(0, COLUMNS).map(async (index, x) => {
        const { data, width, height, channels } = (await set.load(index)).image;
        const input = await sharp(data, { raw: { width, height, channels } })
          .resize(TILE, TILE)
          .png()
          .toBuffer();
        return { input, left: x * TILE, top: y * TILE };
      }),
    ),
  );
  const width = Math.min(COLUMNS, Math.max(...rows.map((row) => row.length))) * TILE;
  const sheet = sharp({ create: { width, height: count * TILE, channels: 3, background: '#000' } });
  await writeFile(file, await sheet.composite(tiles).png().toBuffer());
}
