export { openFaceModel } from './open-face-model.ts';
