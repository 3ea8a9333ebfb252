import { createFaceLandmarker } from 'voxface';

const landmarker = await createFaceLandmarker();
globalThis.faces = await landmarker.detect('photo.jpg');
