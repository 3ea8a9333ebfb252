import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Dataset } from '@voxface/datasets';
import { FIVE_POINTS } from '@voxface/landmarks';
import sharp from 'sharp';
import { openAflw } from '../../../datasets/src/node/open-aflw.ts';
import { openCoco } from '../../../datasets/src/node/open-coco.ts';
import { openJvcrJson } from '../../../datasets/src/node/open-jvcr-json.ts';
import { openKeypointCsv } from '../../../datasets/src/node/open-keypoint-csv.ts';
import { openPackedSet } from '../../../datasets/src/node/open-packed-set.ts';
import { openWebDataset } from '../../../datasets/src/node/open-webdataset.ts';
import { openWflw } from '../../../datasets/src/node/open-wflw.ts';
import { AFLW_FACES, AFLW_TABLES, aflwDatabase, aflwImage } from '../../../datasets/test/aflw-database.ts';
import { writeTar } from '../../../datasets/test/write-tar.ts';
import { outsideNames } from './damaged-inputs.ts';
import { must, type Reader } from './fuzz-reader.ts';

/** What sound files of each format hold, one face of `a.jpg`. */
export interface SoundFiles {
  /** 68 points, x and y. */
  readonly points: readonly number[];
  /** Head of a keypoint CSV of five points. */
  readonly columns: string;
  readonly sample: object;
  readonly head: object;
  readonly coco: unknown;
  readonly jvcr: unknown;
  readonly tarSample: object;
  readonly jpeg: Uint8Array;
}

/** Readers of sets whose names of pictures lead out of their folder: none may be read from there. */
export async function createOutsideReaders(
  folder: string,
  { points, columns, sample, head, coco, jvcr, tarSample, jpeg }: SoundFiles,
): Promise<(Omit<Reader, 'read'> & { read(name: string): unknown })[]> {
  // A blue picture lies one folder up: whoever reads it has left the folder.
  const inner = join(folder, 'inner');
  mkdirSync(join(inner, 'a'), { recursive: true });
  const square = (background: string) =>
    sharp({ create: { width: 120, height: 120, channels: 3, background } })
      .jpeg()
      .toBuffer();
  writeFileSync(join(inner, 'a.jpg'), await square('#a86'));
  const secret = await square('#22e');
  for (const name of ['secret.jpg', 'innersecret.jpg']) writeFileSync(join(folder, name), secret);
  const inInner = (name: string, content: string | Uint8Array): string => {
    const file = join(inner, name);
    writeFileSync(file, content);
    return file;
  };
  const stays = async (opened: Promise<Dataset>): Promise<void> => {
    const set = await opened;
    for (let i = 0; i < set.length; i++) {
      const [red, , blue] = (await set.load(i)).image.data;
      must(red > blue, 'a picture from outside the folder');
    }
  };
  const few = points.slice(0, 10);
  const withName = (value: unknown, name: string): string =>
    JSON.stringify(value).replaceAll('"a.jpg"', () => JSON.stringify(name));
  return [
    {
      name: 'names that lead out: webdataset',
      weight: 2,
      inputs: outsideNames,
      read: async (name) => {
        const stem = name.slice(0, 90);
        const files = [jpeg, Buffer.from(JSON.stringify(tarSample))] as const;
        const bytes = writeTar([
          [`${stem}.jpg`, files[0]],
          [`${stem}.json`, files[1]],
        ]);
        const { ids } = await openWebDataset(inInner('w.tar', bytes));
        must(
          ids.every((id) => join(inner, 'out', id).startsWith(join(inner, 'out'))),
          'a name that leads out',
        );
      },
    },
    {
      name: 'names that lead out: wflw',
      weight: 2,
      inputs: outsideNames,
      read: (name) =>
        stays(
          openWflw(
            inInner('list_98pt_test.txt', `${[...points, ...points.slice(0, 60)].join(' ')} ${name}\n`),
            inner,
          ),
        ),
    },
    {
      name: 'names that lead out: coco',
      weight: 2,
      inputs: outsideNames,
      read: (name) => stays(openCoco(inInner('c.json', withName(coco, name)), inner)),
    },
    {
      name: 'names that lead out: jvcr',
      weight: 2,
      inputs: outsideNames,
      read: (name) => stays(openJvcrJson(inInner('j.json', withName(jvcr, name)), inner)),
    },
    {
      name: 'names that lead out: keypoint csv',
      weight: 2,
      inputs: outsideNames,
      read: (name) =>
        stays(
          openKeypointCsv(inInner('k.csv', `${columns}\n"${name}",${few}\n`), inner, { scheme: FIVE_POINTS }),
        ),
    },
    {
      name: 'names that lead out: aflw.sqlite',
      weight: 1,
      inputs: outsideNames,
      read: async (name) => {
        const image = aflwImage(name.replaceAll("'", ''));
        // Into the 120 pixels of the picture.
        const smaller = [
          'UPDATE FeatureCoords SET x = x / 3, y = y / 3',
          'UPDATE FaceRect SET x = x / 3, y = y / 3, w = w / 3, h = h / 3',
        ];
        const bytes = await aflwDatabase(...AFLW_TABLES, image, ...AFLW_FACES, ...smaller);
        return stays(openAflw(inInner('aflw.sqlite', bytes), inner));
      },
    },
    {
      name: 'names that lead out: packed set',
      weight: 2,
      inputs: outsideNames,
      read: (name) => {
        const file = { ...sample, file: name, offset: 0, length: 0, width: 120, height: 120 };
        inInner('set.json', JSON.stringify({ ...head, version: 1, count: 1, samples: [file] }));
        return stays(openPackedSet(inner));
      },
    },
  ];
}
