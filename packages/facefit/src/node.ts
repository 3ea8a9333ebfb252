export {
  createProfiledSet,
  PROFILED_SET_DEFAULTS,
  type ProfiledSetOptions,
  type ProfiledSetReport,
} from './create-profiled-set.ts';
export { openFaceKitObj } from './open-face-kit-obj.ts';
export { openFaceModel } from './open-face-model.ts';
