import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { AFLW_21, type Box, createLandmarks, withDefaults } from '@voxface/landmarks';
import type { Database } from 'sql.js';
import type { ProblemHandler } from '../record-dataset.ts';
import { checkInnerPath, collectProblems, createRecordDataset, visibleBox } from '../record-dataset.ts';
import type { Annotation, Dataset } from '../sample.ts';
import { decodeImage } from './read-image.ts';

export interface AflwOptions {
  /** Coordinate of the top-left pixel's centre in the database. @default 0 */
  origin?: number;
  /** Faces with fewer visible points are left out. @default 1 */
  minimumVisible?: number;
  /** Called for each face that breaks a rule, which is left out. @default the first one throws */
  onProblem?: ProblemHandler;
}

export const AFLW_DEFAULTS: Required<Omit<AflwOptions, 'onProblem'>> = { origin: 0, minimumVisible: 1 };

const TABLES = ['Faces', 'FaceImages', 'FeatureCoords', 'FaceRect', 'FacePose'];

/**
 * Opens AFLW through its `aflw.sqlite`: up to 21 points, hidden ones masked (they lie at the box's centre), the
 * face rectangle as box, and the yaw of `FacePose` (radians to degrees, sign turned to ours). Identifiers are face
 * ids. Faces without rectangle get the box of their visible points.
 * Needs the package `sql.js`, an optional peer.
 * @param imageRoot folder that `FaceImages.filepath` is relative to (`aflw/data/flickr`).
 * @throws Error when the file is no SQLite database, lacks a table, or holds no face; or when `sql.js` is not installed.
 */
export async function openAflw(
  sqliteFile: string,
  imageRoot: string,
  options: AflwOptions = {},
): Promise<Dataset<2>> {
  const { origin, minimumVisible } = withDefaults(AFLW_DEFAULTS, options);
  const database = await openDatabase(sqliteFile);
  const { problems, report } = collectProblems(options.onProblem);
  const records: { annotation: Annotation<2>; file: string }[] = [];
  try {
    checkTables(database, sqliteFile);
    const points = readPoints(database);
    for (const [face, filepath, x, y, width, height, yaw] of readFaces(database)) {
      try {
        checkInnerPath('openAflw', filepath, sqliteFile);
        const rectangle =
          width === null ? undefined : { x: x! - origin, y: y! - origin, width, height: height! };
        const annotation = annotateFace(
          String(face),
          points.get(face) ?? [],
          rectangle,
          yaw,
          origin,
          filepath,
        );
        const visible = annotation.visible!.reduce((sum, value) => sum + value, 0);
        if (visible >= minimumVisible) records.push({ annotation, file: filepath });
      } catch (error) {
        report({ id: String(face), error: error as Error });
      }
    }
  } finally {
    database.close();
  }
  return createRecordDataset({
    name: 'aflw',
    scheme: AFLW_21,
    dims: 2,
    ids: records.map(({ annotation }) => annotation.id),
    annotate: (index) => records[index].annotation,
    readImage: (index) => readFile(path.join(imageRoot, records[index].file)),
    decode: decodeImage,
    problems,
  });
}

async function openDatabase(file: string): Promise<Database> {
  const { default: initSqlJs } = await import('sql.js').catch((cause) => {
    throw new Error(
      `openAflw: the package 'sql.js' must be installed to read ${file}, got ${cause.message} (npm install sql.js)`,
      { cause },
    );
  });
  const SQL = await initSqlJs();
  return new SQL.Database(await readFile(file));
}

function checkTables(database: Database, file: string): void {
  let names: unknown[];
  try {
    names = (database.exec(`SELECT name FROM sqlite_master WHERE type = 'table'`)[0]?.values ?? []).flat();
  } catch (error) {
    throw new Error(`openAflw: expected an SQLite database, got ${(error as Error).message} in ${file}`, {
      cause: error,
    });
  }
  const missing = TABLES.filter((name) => !names.includes(name));
  if (missing.length > 0) {
    throw new Error(
      `openAflw: expected the tables ${TABLES.join(', ')}, got ${names.join(', ') || 'no table'} in ${file} (missing: ${missing.join(', ')})`,
    );
  }
}

type Point = readonly [feature: number, x: number, y: number];

function readPoints(database: Database): Map<number, Point[]> {
  const points = new Map<number, Point[]>();
  const rows = database.exec('SELECT face_id, feature_id, x, y FROM FeatureCoords')[0]?.values ?? [];
  for (const [face, feature, x, y] of rows as number[][]) {
    const known = points.get(face);
    if (known) known.push([feature, x, y]);
    else points.set(face, [[feature, x, y]]);
  }
  return points;
}

type FaceRow = [number, string, number | null, number | null, number | null, number | null, number | null];

function readFaces(database: Database): FaceRow[] {
  const result = database.exec(
    `SELECT Faces.face_id, FaceImages.filepath, FaceRect.x, FaceRect.y, FaceRect.w, FaceRect.h, FacePose.yaw
     FROM Faces JOIN FaceImages ON Faces.file_id = FaceImages.file_id
     LEFT JOIN FaceRect ON FaceRect.face_id = Faces.face_id
     LEFT JOIN FacePose ON FacePose.face_id = Faces.face_id
     ORDER BY Faces.face_id`,
  );
  return (result[0]?.values ?? []) as FaceRow[];
}

function annotateFace(
  id: string,
  features: readonly Point[],
  rectangle: Box | undefined,
  yaw: number | null,
  origin: number,
  file: string,
): Annotation<2> {
  const visible = new Uint8Array(AFLW_21.count);
  const points = new Float32Array(AFLW_21.count * 2);
  for (const [feature, x, y] of features) {
    if (!(Number.isInteger(feature) && feature >= 1 && feature <= AFLW_21.count)) {
      throw new Error(`openAflw: feature_id must be in 1..${AFLW_21.count}, got ${feature} for face ${id}`);
    }
    visible[feature - 1] = 1;
    points.set([x - origin, y - origin], 2 * (feature - 1));
  }
  if (features.length === 0 && !rectangle) {
    throw new Error(`openAflw: a face must have points or a rectangle, got neither for face ${id}`);
  }
  const box = rectangle ?? visibleBox({ points, dims: 2 }, visible);
  visible.forEach((value, i) => {
    if (!value) points.set([box.x + box.width / 2, box.y + box.height / 2], 2 * i);
  });
  return {
    id,
    landmarks: createLandmarks(points, 2),
    scheme: AFLW_21,
    box,
    visible,
    ...(yaw !== null && { yaw: (-yaw * 180) / Math.PI }),
    provenance: {
      dataset: 'aflw',
      files: [file],
      conversions: [
        rectangle ? 'box: FaceRect' : 'box: visible points',
        'yaw: radians to degrees, sign turned',
        ...(origin === 0 ? [] : [`x - ${origin}, y - ${origin}`]),
      ],
    },
  };
}
