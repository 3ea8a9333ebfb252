import { createFaceLandmarker } from 'voxface';

const landmarker = await createFaceLandmarker();
const faces = await landmarker.detect('photo.jpg');
console.log(JSON.stringify(faces.map(({ box }) => box)));
