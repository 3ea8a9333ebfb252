export {
  importJvcrCheckpoint,
  JVCR_IMPORT_DEFAULTS,
  type JvcrImportOptions,
} from './jvcr/import-checkpoint.ts';
