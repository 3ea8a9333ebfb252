import {
  type Box,
  boxOf,
  boxOverlap,
  createLandmarkSmoother,
  type LandmarkSmoother,
  type Pixels,
  type SmootherOptions,
  withDefaults,
} from '@voxface/landmarks';
import type { DetectedFace, FaceDetector } from './detector.ts';
import { type ImageSource, toPixels } from './image-source.ts';
import { type FaceShape, PREDICTOR_DEFAULTS, type Predictor } from './predictor.ts';
import { turnInPlane } from './upright-pass.ts';

/** Options of a tracker. */
export interface FaceTrackerOptions {
  /** Most faces followed at once. @default 1 */
  maxFaces?: number;
  /**
   * Frames between looks of the detector for new and lost faces; it looks every frame while there is no face.
   * @default 15
   */
  detectEvery?: number;
  /** Least intersection over union of a followed face and a detected one that are the same. @default 0.3 */
  minOverlap?: number;
  /** A track ends when its face's confidence falls below this, where the model tells confidences. @default 0.1 */
  minConfidence?: number;
  /** Smoothing over time, or false for none. @default {} */
  smoothing?: SmootherOptions | false;
  /** Told of a face that was lost: its identity, and the seconds of the frame that is without it. */
  onLost?: (id: number, seconds: number) => void;
}

/** One face, the detector every 15 frames. */
export const FACE_TRACKER_DEFAULTS: Required<Omit<FaceTrackerOptions, 'onLost'>> = {
  maxFaces: 1,
  detectEvery: 15,
  minOverlap: 0.3,
  minConfidence: 0.1,
  smoothing: {},
};

/** A face that is being followed. */
export interface TrackedFace extends FaceShape {
  /** The same from frame to frame, never used again for another face. */
  readonly id: number;
}

/** Follows faces through a video. */
export interface FaceTracker {
  /**
   * Faces of the next frame. Frames must come one at a time.
   * @param seconds time of the frame; must grow from frame to frame.
   */
  track(frame: ImageSource, seconds: number): Promise<TrackedFace[]>;
  /** Forgets all faces; time may start again. */
  reset(): void;
}

/** Heads turned by fewer degrees are cut straight. */
const UPRIGHT = PREDICTOR_DEFAULTS.upright as number;

/** Followed faces that share more than this are one: one of them went behind the other. */
const ONE_FACE = 0.5;

interface Track {
  readonly id: number;
  box: Box;
  /** Pixels that its centre moves in a frame. */
  velocity: readonly [number, number];
  /** How far it is from where it would have moved; infinite in its first frame. */
  surprise: number;
  /** How far the head is turned in the picture's plane, degrees; 0 while it is nearly upright. */
  turn: number;
  readonly smoother: LandmarkSmoother | undefined;
  /** Its box is still the detector's. */
  isNew: boolean;
}

/**
 * Follows faces: each frame is cropped around the last landmarks, so the detector runs only now and then, to find
 * new faces and to drop those it no longer sees. In its first frame a face is predicted twice, around the detector's box and around
 * the landmarks found in it. A face is dropped at once when its landmarks leave the picture or
 * collapse, or when the model says that there is none; of two faces that cross, the one behind. Predictor and detector stay the caller's.
 * @example
 * ```js
 * import { boxOf, cropAffine, MEAN_FACE_68, toUnit } from '@voxface/landmarks';
 * import { createCropPredictor, createFaceTracker } from '@voxface/predict';
 *
 * const { points } = toUnit(MEAN_FACE_68, cropAffine(boxOf(MEAN_FACE_68)));
 * const run = async (crops) => crops.flatMap(() => [...points]);
 * const predictor = createCropPredictor({ inputSize: 64, landmarks: 68, scheme: 'ibug-68', run });
 * const box = { x: 100, y: 60, width: 100, height: 100 };
 * const detector = { detect: async () => [{ box, score: 1 }], dispose() {} };
 * const tracker = createFaceTracker(predictor, detector, { maxFaces: 2 });
 * const frame = { data: new Uint8Array(320 * 240 * 3), width: 320, height: 240, channels: 3 };
 * for (const seconds of [0, 1 / 30]) {
 *   const faces = await tracker.track(frame, seconds);
 *   console.log(faces[0].id); // => 1
 * }
 * ```
 */
export function createFaceTracker(
  predictor: Predictor,
  detector: FaceDetector,
  options: FaceTrackerOptions = {},
): FaceTracker {
  const { maxFaces, detectEvery, minOverlap, minConfidence } = withDefaults(FACE_TRACKER_DEFAULTS, options);
  const smoothing = options.smoothing ?? FACE_TRACKER_DEFAULTS.smoothing;
  let tracks: Track[] = [];
  let sinceDetection = Infinity;
  let nextId = 1;

  async function detect(frame: ImageSource): Promise<void> {
    const found = await detector.detect(frame);
    const pairs = found.flatMap((face) =>
      tracks.map((track) => ({ face, track, overlap: boxOverlap(face.box, track.box) })),
    );
    const seenAs = new Map<Track, DetectedFace>();
    const known = new Set<DetectedFace>();
    // One face is one track's.
    for (const { face, track, overlap } of pairs.sort((a, b) => b.overlap - a.overlap)) {
      if (overlap < minOverlap || seenAs.has(track) || known.has(face)) continue;
      seenAs.set(track, face);
      known.add(face);
    }
    const seen = tracks.filter((track) => seenAs.has(track));
    const fresh = found.filter((face) => !known.has(face));
    const started = fresh.slice(0, Math.max(0, maxFaces - seen.length)).map(
      ({ box, turn = 0 }): Track => ({
        id: nextId++,
        box,
        velocity: [0, 0],
        surprise: Infinity,
        turn,
        smoother: smoothing === false ? undefined : createLandmarkSmoother(smoothing),
        isNew: true,
      }),
    );
    tracks = [...seen, ...started];
    sinceDetection = 0;
  }

  /**
   * Landmarks of all tracks. A new face is predicted again around its first landmarks, as every later frame will be: else it would
   * jump from the detector's box to its own in the second frame.
   */
  async function predictTracks(image: Pixels): Promise<FaceShape[]> {
    const shapes = await predictor.predictBatch(tracks.map(({ box, turn }) => ({ image, box, turn })));
    const fresh = tracks.flatMap(({ isNew, box }, i) => {
      const own = boxOf(shapes[i].landmarks);
      return isNew && isPlausible(own, box, image) ? [{ i, box: own, turn: turnOf(shapes[i]) }] : [];
    });
    if (fresh.length > 0) {
      const again = await predictor.predictBatch(fresh.map(({ box, turn }) => ({ image, box, turn })));
      for (const [k, { i }] of fresh.entries()) shapes[i] = again[k];
    }
    return shapes;
  }

  return {
    track: async (frame, seconds) => {
      const pixels = await toPixels(frame);
      const before = tracks;
      sinceDetection += 1;
      if (tracks.length === 0 || sinceDetection >= detectEvery) await detect(pixels);
      const shapes = await predictTracks(pixels);
      const shapeOf = new Map(tracks.map((track, i) => [track, shapes[i]]));
      const followed = tracks.filter((track) => {
        const shape = shapeOf.get(track)!;
        const box = boxOf(shape.landmarks);
        if ((shape.confidence ?? 1) < minConfidence || !isPlausible(box, track.box, pixels)) return false;
        move(track, box);
        track.turn = turnOf(shape);
        return true;
      });
      tracks = followed.filter((track) => !followed.some((other) => isBehind(track, other)));
      for (const track of before) if (!tracks.includes(track)) options.onLost?.(track.id, seconds);
      return tracks.map((track) => {
        const shape = shapeOf.get(track)!;
        const landmarks = track.smoother?.smooth(shape.landmarks, seconds) ?? shape.landmarks;
        return { ...shape, landmarks, id: track.id };
      });
    },
    reset: () => {
      tracks = [];
      sinceDetection = Infinity;
    },
  };
}

function move(track: Track, box: Box): void {
  const x = box.x + box.width / 2 - track.box.x - track.box.width / 2;
  const y = box.y + box.height / 2 - track.box.y - track.box.height / 2;
  const [u, v] = track.velocity;
  track.surprise = track.isNew ? Infinity : Math.hypot(x - u, y - v);
  if (!track.isNew) track.velocity = [(u + x) / 2, (v + y) / 2];
  track.box = box;
  track.isNew = false;
}

/** Of two tracks on one face that one stays which moved on as before: the other's face is hidden. */
function isBehind(track: Track, other: Track): boolean {
  if (track === other || boxOverlap(track.box, other.box) <= ONE_FACE) return false;
  return track.surprise > other.surprise || (track.surprise === other.surprise && track.id > other.id);
}

/** How far the head is turned in the picture's plane, degrees; 0 when it is nearly upright. */
function turnOf({ landmarks }: FaceShape): number {
  const turn = turnInPlane(landmarks);
  return Math.abs(turn) > UPRIGHT ? turn : 0;
}

/** A face whose centre is in the picture and whose size is within a factor of 2.5 of that of the frame before. */
function isPlausible(box: Box, before: Box, image: { width: number; height: number }): boolean {
  const x = box.x + box.width / 2;
  const y = box.y + box.height / 2;
  const ratio = Math.max(box.width, box.height) / Math.max(before.width, before.height);
  return x >= 0 && y >= 0 && x < image.width && y < image.height && ratio > 0.4 && ratio < 2.5;
}
