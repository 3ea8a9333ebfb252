import { createFaceLandmarker } from 'voxface';

test('a photo has faces', async () => {
  const landmarker = await createFaceLandmarker();
  const faces = await landmarker.detect('photo.jpg');
  expect(faces.length).toBeGreaterThan(0);
  console.log(JSON.stringify(faces.map(({ box }) => box)));
}, 120_000);
