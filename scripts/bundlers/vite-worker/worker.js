import { createFaceLandmarker } from 'voxface';

const opened = createFaceLandmarker();
self.onmessage = async ({ data }) => {
  const landmarker = await opened;
  self.postMessage(await landmarker.detect(data));
};
