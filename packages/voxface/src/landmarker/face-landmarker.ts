import {
  type Box,
  boxOf,
  countLandmarks,
  cropAffine,
  cropPixels,
  fitSimilarity,
  type HeadPose,
  type Landmarks,
  MEAN_FACE_68,
  type Pixels,
} from '@voxface/landmarks';
import type { OnnxPredictor } from '@voxface/onnx/web';
import {
  type Confidence,
  createFaceTracker,
  type DetectorOptions,
  type FaceDetector,
  type FaceTracker,
  type FaceTrackerOptions,
  type ImageSource,
  localizeImages,
  toPixels,
} from '@voxface/predict';

/** A face in an image; `confidence`, `landmarkConfidence` and `visibility` where the model tells them. */
export interface Face extends Partial<Confidence> {
  /** In video: the same from frame to frame. */
  readonly id?: number;
  /** Tight box of the landmarks, as the detector (or the caller) gave it; in video the box of the landmarks. Pixels. */
  readonly box: Box;
  /** Confidence of the detector, 0..1; 1 for a given box. Absent in video, where faces are followed. */
  readonly score?: number;
  /** [68, 3] in pixels: x right, y down, z away from the camera with zero mean. */
  readonly landmarks: Landmarks<3>;
  /** Yaw (positive to the right of the image), pitch (positive up) and roll (positive clockwise) in degrees. */
  readonly pose: HeadPose;
  /** [4, 4], column by column: maps the mean face (`MEAN_FACE_68`) into the image, for overlays in 3D. */
  readonly matrix: Float32Array;
  /** With `volume: true`: the semantic volume that the network predicted for the face. */
  readonly volume?: FaceVolume;
}

/** A semantic volume, c fastest. */
export interface FaceVolume {
  /** [h, w, d, c]. */
  readonly values: Float32Array;
  readonly shape: readonly [number, number, number, number];
}

/** Options of one `detect`. */
export interface DetectOptions {
  /** Known face boxes in pixels, instead of the detector's. */
  boxes?: readonly Box[];
  /**
   * Also gives each face's semantic volume.
   * @default false
   */
  volume?: boolean;
}

/** Finds faces and their landmarks. Calls may overlap; they are done one after the other. */
export interface FaceLandmarker<S = ImageSource> {
  /** What runs the networks, such as `onnxruntime-node`. */
  readonly runtime: string;
  /** Faces of an image, the surest first. */
  detect(image: S, options?: DetectOptions): Promise<Face[]>;
  /**
   * Faces of the next frame of a video: followed from frame to frame and smoothed.
   * @param milliseconds time of the frame; must grow from frame to frame.
   */
  detectForVideo(frame: S, milliseconds: number): Promise<Face[]>;
  /** Frees the networks; later calls throw. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** Options that are the same in Node and in pages. */
export interface CommonLandmarkerOptions {
  /**
   * Averages with the prediction of the mirrored face: twice the work, a little more accurate.
   * @default false
   */
  flip?: boolean;
  /**
   * Averages over that many crops of every face, 1 to 9, turned and scaled a little: that many times the work, less error.
   * @default 1
   */
  crops?: number;
  /**
   * Predicts again around the first landmarks: a number, where their box shares less than this with the detector's; true, always;
   * false, never.
   * @default 0.8
   */
  refine?: boolean | number;
  /**
   * Least confidence and largest number of detected faces.
   * @default the detector's
   */
  detectorOptions?: DetectorOptions;
  /**
   * Number of faces followed in video, how often the detector looks, smoothing.
   * @default one face, every 15 frames, smoothed
   */
  video?: FaceTrackerOptions;
}

/** What a platform opens for `createLandmarker`. */
export interface LandmarkerParts<S> {
  readonly runtime: string;
  readonly predictor: OnnxPredictor;
  /** Absent: every call brings its boxes. */
  readonly detector?: FaceDetector;
  readonly read: (image: S) => Promise<ImageSource> | ImageSource;
  readonly video?: FaceTrackerOptions;
}

/** Joins detector, predictor and the platform's way to read images. */
export function createLandmarker<S>(parts: LandmarkerParts<S>): FaceLandmarker<S> {
  const { runtime, predictor, detector, read, video } = parts;
  let alive = true;
  let tracker: FaceTracker | undefined;
  let last: Promise<unknown> = Promise.resolve();
  // The runtimes do not run one session twice at a time.
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    if (!alive) throw new Error('FaceLandmarker: this landmarker was disposed, create another one');
    const next = last.then(work);
    last = next.catch(() => {});
    return next;
  };
  const detect = async (image: S, { boxes, volume = false }: DetectOptions): Promise<Face[]> => {
    if (boxes === undefined && detector === undefined) {
      throw new RangeError('detect: expected boxes, because the landmarker was made without a detector');
    }
    const results = localizeImages([image], { read, predictor, detector, boxes: () => boxes });
    for await (const result of results) {
      if (result.error !== undefined) throw result.error;
      const faces: Face[] = [];
      for (const face of result.faces) {
        const seen = volume ? { volume: await readVolume(predictor, result.image, face.box) } : {};
        faces.push({ ...face, matrix: headMatrix(face.landmarks), ...seen });
      }
      return faces.sort((a, b) => (b.score ?? 0) - (a.score ?? 0));
    }
    return [];
  };
  const dispose = (): void => {
    if (!alive) return;
    alive = false;
    void last.then(() => {
      predictor.dispose();
      detector?.dispose();
    });
  };
  return {
    runtime,
    detect: async (image, options = {}) => inTurn(() => detect(image, options)),
    detectForVideo: async (frame, milliseconds) =>
      inTurn(async () => {
        if (detector === undefined) {
          throw new RangeError('detectForVideo: expected a detector, got a landmarker that was made without');
        }
        tracker ??= createFaceTracker(predictor, detector, video);
        const faces = await tracker.track(await toPixels(await read(frame)), milliseconds / 1000);
        return faces.map((face) => ({
          ...face,
          box: boxOf(face.landmarks),
          matrix: headMatrix(face.landmarks),
        }));
      }),
    dispose,
    [Symbol.dispose]: dispose,
  };
}

async function readVolume(predictor: OnnxPredictor, image: Pixels, box: Box): Promise<FaceVolume> {
  const crop = cropPixels(image, cropAffine(box), predictor.inputSize);
  const [values] = await predictor.estimateVolumes([crop]);
  const [height, width, depth, channels] = predictor.info.volume!;
  return { values, shape: [height, width, depth, channels] };
}

/** The similarity that maps the mean face onto the landmarks; the identity for schemes without a mean face. */
function headMatrix(landmarks: Landmarks<3>): Float32Array {
  if (countLandmarks(landmarks) !== countLandmarks(MEAN_FACE_68)) {
    return Float32Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1);
  }
  const { scale, rotation, translation } = fitSimilarity(MEAN_FACE_68, landmarks);
  const [a, b, c, d, e, f, g, h, i] = rotation.map((value) => value * scale);
  const [x, y, z] = translation;
  return Float32Array.of(a, d, g, 0, b, e, h, 0, c, f, i, 0, x, y, z, 1);
}
