const { createFaceLandmarker } = require('voxface');

createFaceLandmarker().then(async (landmarker) => {
  const faces = await landmarker.detect('photo.jpg');
  console.log(JSON.stringify(faces.map(({ box }) => box)));
});
