import { writeFile } from 'node:fs/promises';
import type { Pixels } from '@voxface/landmarks';
import sharp from 'sharp';

const TILE = 128;
const ROWS = 12;

/** A picture of the first faces of a set: one row per face, one tile per picture. */
export class ContactSheet {
  readonly #columns: number;
  readonly #rows: { image: Pixels }[][] = [];

  constructor(columns: number) {
    this.#columns = columns;
  }

  /** Keeps the pictures of a face while there is room. */
  offer(shots: readonly { image: Pixels }[]): void {
    if (this.#rows.length < ROWS) this.#rows.push(shots.slice(0, this.#columns));
  }

  /** Writes a PNG; nothing when no face was offered. */
  async write(file: string): Promise<void> {
    if (this.#rows.length === 0) return;
    const tiles = await Promise.all(
      this.#rows.flatMap((row, y) =>
        row.map(async ({ image }, x) => {
          const { data, width, height, channels } = image;
          const input = await sharp(data, { raw: { width, height, channels } })
            .removeAlpha()
            .resize(TILE, TILE)
            .png()
            .toBuffer();
          return { input, left: x * TILE, top: y * TILE };
        }),
      ),
    );
    const columns = Math.max(...this.#rows.map((row) => row.length));
    const sheet = sharp({
      create: {
        width: columns * TILE,
        height: this.#rows.length * TILE,
        channels: 3,
        background: '#000',
      },
    });
    await writeFile(file, await sheet.composite(tiles).png().toBuffer());
  }
}
