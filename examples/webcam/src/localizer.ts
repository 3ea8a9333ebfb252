import { setupBackend } from '@voxface/backend';
import { type Box, boxOf, type Landmarks } from '@voxface/landmarks';
import {
  createPredictor,
  type FaceDetector,
  type FaceShape,
  type FaceShapeModel,
  type ImageSource,
  loadModelFromUrl,
  type Predictor,
} from '@voxface/models';
import { createFaceApiDetector } from '@voxface/models/face-api';

export type PageBackend = 'webgl' | 'webgpu' | 'wasm';

/** Everything that lives on one backend. */
export interface Localizer {
  readonly backend: string;
  readonly model: FaceShapeModel;
  /** Faces of a picture by the detector. */
  detect(image: ImageSource): Promise<FaceShape[]>;
  /** Faces again, around where they were: no detector, much faster. */
  track(image: ImageSource, previous: readonly FaceShape[]): Promise<FaceShape[]>;
  dispose(): void;
}

/** Prepares a backend, the shipped model and the detector. */
export async function createLocalizer(name: PageBackend): Promise<Localizer> {
  const { name: backend } = await setupBackend(name);
  const model = await loadModelFromUrl(new URL('models/small/', document.baseURI));
  const predictor: Predictor = createPredictor(model);
  const detector: FaceDetector = await createFaceApiDetector({
    network: 'tiny',
    modelUrl: new URL('face-api/', document.baseURI),
  });
  const around = async (image: ImageSource, boxes: readonly Box[]): Promise<FaceShape[]> =>
    predictor.predictBatch(boxes.map((box) => ({ image, box })));
  return {
    backend,
    model,
    detect: async (image) =>
      around(
        image,
        (await detector.detect(image)).map(({ box }) => box),
      ),
    track: (image, previous) =>
      around(
        image,
        previous.map(({ landmarks }) => boxOf(landmarks)),
      ),
    dispose() {
      predictor.dispose();
      detector.dispose();
      model.dispose();
    },
  };
}

/** Whether landmarks still look like a face: a box of sensible size with its centre in the picture. */
export function isPlausible(landmarks: Landmarks<3>, width: number, height: number): boolean {
  const box = boxOf(landmarks);
  const x = box.x + box.width / 2;
  const y = box.y + box.height / 2;
  const ratio = box.width / box.height;
  return box.width > 16 && x > 0 && y > 0 && x < width && y < height && ratio > 0.4 && ratio < 2;
}
