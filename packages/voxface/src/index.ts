export {
  LOCALIZE_PHOTOS_DEFAULTS,
  type LocalizePhotosOptions,
  type LocatedPhoto,
  localizePhotos,
} from './photos/localize-photos.ts';
export type { PhotoRequest } from './photos/photo-threads.ts';
