import { createFaceLandmarker } from 'voxface';

const opened = createFaceLandmarker();

export async function GET(request) {
  const landmarker = await opened;
  const photo = new URL('/photo.jpg', request.url);
  const faces = await landmarker.detect(photo);
  return Response.json(faces.map(({ box, pose }) => ({ box, pose })));
}
