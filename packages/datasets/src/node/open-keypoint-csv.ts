import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { withDefaults } from '@voxface/landmarks';
import { annotateKeypointCsv, KEYPOINT_CSV_DEFAULTS, type KeypointCsvOptions } from '../keypoint-csv.ts';
import { createRecordDataset } from '../record-dataset.ts';
import type { Dataset } from '../sample.ts';
import { decodeImage, listFiles } from './read-image.ts';

/**
 * Opens a keypoint CSV: rows of a file name and x, y pairs, as in the YouTube facial keypoints set, or a file whose
 * header names its columns, with empty cells and visibility (see `parseKeypointCsv`). Points that the file does not
 * have are masked by `visible`. A column `yaw` has the sign of AFLW's and 300W-LP's and is turned; the other columns
 * become `attributes`. Identifiers are the file names without extension; the second face of `a.jpg` is `a#2`.
 * @param imageRoot folder that the file names are relative to.
 * @throws Error when a row has the wrong number of values, a value is not finite, a picture is missing, or no row is
 * of the `split` asked for.
 */
export async function openKeypointCsv(
  csvFile: string,
  imageRoot: string,
  options: KeypointCsvOptions = {},
): Promise<Dataset<2>> {
  const { name, scheme } = withDefaults(KEYPOINT_CSV_DEFAULTS, options);
  const present = new Set(await listFiles(imageRoot));
  const { records, problems } = annotateKeypointCsv(
    await readFile(csvFile, 'utf8'),
    (file) => (present.has(file) ? file : undefined),
    csvFile,
    options,
  );
  return createRecordDataset({
    name,
    scheme,
    dims: 2,
    ids: records.map(({ annotation }) => annotation.id),
    annotate: (index) => records[index].annotation,
    readImage: (index) => readFile(path.join(imageRoot, records[index].image)),
    decode: decodeImage,
    problems,
  });
}
