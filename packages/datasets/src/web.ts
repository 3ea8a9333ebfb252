export { decodeBlob, openKeypointCsvFiles, openPtsFiles, type WebFilesOptions } from './web/open-files.ts';
export { openPackedSetUrl } from './web/open-packed-set-url.ts';
