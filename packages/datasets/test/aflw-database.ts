import initSqlJs from 'sql.js';

/** The tables of AFLW's `aflw.sqlite`. */
export const AFLW_TABLES: readonly string[] = [
  'CREATE TABLE Faces (face_id INTEGER, file_id TEXT, db_id TEXT)',
  'CREATE TABLE FaceImages (image_id INTEGER, db_id TEXT, file_id TEXT, filepath TEXT, bw INTEGER, width INTEGER, height INTEGER)',
  'CREATE TABLE FeatureCoords (face_id INTEGER, feature_id INTEGER, x REAL, y REAL, annot_type_id INTEGER)',
  'CREATE TABLE FaceRect (face_id INTEGER, x INTEGER, y INTEGER, w INTEGER, h INTEGER, annot_type_id INTEGER)',
  'CREATE TABLE FacePose (face_id INTEGER, roll REAL, pitch REAL, yaw REAL, annot_type_id INTEGER)',
];

/** Two faces of one picture. */
export const AFLW_FACES: readonly string[] = [
  `INSERT INTO Faces VALUES (39341, 'f1', 'aflw'), (39342, 'f1', 'aflw')`,
  'INSERT INTO FeatureCoords VALUES (39341, 1, 110, 120, 0), (39341, 21, 150, 190, 0), (39342, 15, 200.5, 210.5, 0), (39342, 18, 190, 250, 0)',
  'INSERT INTO FaceRect VALUES (39341, 100, 110, 80, 90, 0)',
  'INSERT INTO FacePose VALUES (39341, 0.1, 0.2, -0.5, 0)',
];

/** The picture of `AFLW_FACES`. */
export const aflwImage = (file: string): string =>
  `INSERT INTO FaceImages VALUES (1, 'aflw', 'f1', '${file}', 0, 450, 450)`;

/** The bytes of an SQLite database that these statements make. */
export async function aflwDatabase(...statements: readonly string[]): Promise<Uint8Array> {
  const SQL = await initSqlJs();
  const db = new SQL.Database();
  for (const statement of statements) db.run(statement);
  const bytes = db.export();
  db.close();
  return bytes;
}
