export {
  decodeBlob,
  openKeypointCsvFiles,
  openPackedSetUrl,
  openPtsFiles,
  type WebFilesOptions,
} from './web/open-files.ts';
