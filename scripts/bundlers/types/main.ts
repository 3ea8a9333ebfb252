import { createFaceLandmarker, type Face, type FaceLandmarker, type PhotoSource } from 'voxface';

const landmarker: FaceLandmarker<PhotoSource> = await createFaceLandmarker({ flip: true });
const faces: Face[] = await landmarker.detect('photo.jpg');
const yaw: number | undefined = faces[0]?.pose.yaw;
// @ts-expect-error: landmarks are points, not text.
const wrong: string = faces[0].landmarks.points;

export { wrong, yaw };
