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
import { cropUpright } from './crops.ts';
import type { DetectedFace, FaceDetector } from './detector.ts';
import { type ImageSource, toPixels } from './image-source.ts';
import { type FaceShape, PREDICTOR_DEFAULTS, type Predictor } from './predictor.ts';
import { turnInPlane, uprightCrop } from './upright-pass.ts';

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
  /**
   * The same from frame to frame. A face that comes back within three seconds, near where it was lost or where it was going and looking
   * as before, has its old number; every other one that was never given.
   */
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
/** Heads are this much wider than the boxes of their landmarks: where such boxes meet, one may cover the other. */
const HEAD = 1.5;
/** Faces that move by more than this share of their size from frame to frame are looked for where they go. */
const MOVING = 0.03;
/** Share of the last frame in the mean movement by which a lost face is looked for. */
const COURSE = 0.2;

/** Side of what is kept of a face's looks, in pixels. */
const LOOK = 8;
/**
 * Faces look alike where that half of their pixels that differs least differs by less than this on average: 92 % of 663 pairs from one clip
 * of youtube-keypoints (training part), 1 % of 11 109 pairs of different people. Area under the curve: 0.993; of all pixels: 0.991.
 */
const ALIKE = 0.037;
/** Looks that fit better by this are the right ones. */
const CLEARLY = 0.01;
/** How long a lost face is remembered, seconds. */
const REMEMBERED = 3;

/** What a face was like when no other was near it. */
interface Sight {
  readonly box: Box;
  /** Pixels that its centre moves in a frame, on average. */
  readonly course: readonly [number, number];
  /** RGB [LOOK, LOOK, 3] of its upright crop. */
  readonly look: Uint8Array;
  readonly frame: number;
}

interface Track {
  /** 0 until it has its first landmarks. */
  id: number;
  box: Box;
  /** Where it is looked for in this frame. */
  cut: Box;
  /** Pixels that its centre moves in a frame. */
  velocity: readonly [number, number];
  /** The same over more frames. */
  course?: readonly [number, number];
  /** How far it is from where it would have moved; infinite in its first frame. */
  surprise: number;
  /** How far the head is turned in the picture's plane, degrees; 0 while it is nearly upright. */
  turn: number;
  readonly smoother: LandmarkSmoother | undefined;
  /** Its box is still the detector's. */
  isNew: boolean;
  /** What it looks like in this frame. */
  look?: Uint8Array;
  sight?: Sight;
}

/** A face that was lost. */
interface LostFace {
  readonly id: number;
  readonly sight: Sight;
  readonly seconds: number;
}

/**
 * Follows faces: each frame is cropped around the last landmarks, so the detector runs only now and then, to find
 * new faces and to drop those it no longer sees. In its first frame a face is predicted twice, around the detector's box and around
 * the landmarks found in it. A face is dropped at once when its landmarks leave the picture or
 * collapse, or when the model says that there is none; of two faces that cross, the one that no longer looks like itself: it is behind the other.
 * Predictor and detector stay the caller's.
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
  let lost: LostFace[] = [];
  let sinceDetection = Infinity;
  let nextId = 1;
  let frame = 0;

  /** @returns tracks that the detector saw as one face. */
  async function detect(image: ImageSource): Promise<[Track, Track][]> {
    const found = await detector.detect(image);
    const pairs = found
      .flatMap((face) => tracks.map((track) => ({ face, track, overlap: boxOverlap(face.box, track.cut) })))
      .filter(({ overlap }) => overlap >= minOverlap);
    const seenAs = new Map<Track, DetectedFace>();
    const known = new Map<DetectedFace, Track>();
    // One face is one track's.
    for (const { face, track } of pairs.sort((a, b) => b.overlap - a.overlap)) {
      if (seenAs.has(track) || known.has(face)) continue;
      seenAs.set(track, face);
      known.set(face, track);
    }
    // Whose face it is shows when both have their landmarks.
    const rivals = new Map<Track, Track>();
    for (const { face, track } of pairs) if (!seenAs.has(track)) rivals.set(track, known.get(face)!);
    const seen = tracks.filter((track) => seenAs.has(track) || rivals.has(track));
    const fresh = found.filter((face) => !known.has(face));
    const started = fresh.slice(0, Math.max(0, maxFaces - seen.length)).map(
      ({ box, turn = 0 }): Track => ({
        id: 0,
        box,
        cut: box,
        velocity: [0, 0],
        surprise: Infinity,
        turn,
        smoother: smoothing === false ? undefined : createLandmarkSmoother(smoothing),
        isNew: true,
      }),
    );
    tracks = [...seen, ...started];
    sinceDetection = 0;
    return [...rivals];
  }

  /**
   * Landmarks of all tracks. A new face is predicted again around its first landmarks, as every later frame will be: else it would
   * jump from the detector's box to its own in the second frame.
   */
  async function predictTracks(image: Pixels): Promise<FaceShape[]> {
    const shapes = await predictor.predictBatch(tracks.map(({ cut, turn }) => ({ image, box: cut, turn })));
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

  /** Gives a new track the number of the lost face that it is, or a new one. */
  function name(track: Track): void {
    const [same] = lost
      .filter(({ sight }) => isOnItsWay(track.box, sight, frame))
      .map((face) => ({ face, difference: differenceOf(track.look!, face.sight.look) }))
      .filter(({ difference }) => difference < ALIKE)
      .sort((a, b) => a.difference - b.difference);
    track.id = same?.face.id ?? nextId++;
    lost = lost.filter((face) => face !== same?.face);
  }

  return {
    track: async (source, seconds) => {
      const pixels = await toPixels(source);
      const before = tracks;
      frame += 1;
      lost = lost.filter((face) => seconds - face.seconds <= REMEMBERED);
      for (const track of tracks) track.cut = nextBox(track);
      sinceDetection += 1;
      const rivals = tracks.length === 0 || sinceDetection >= detectEvery ? await detect(pixels) : [];
      const shapes = await predictTracks(pixels);
      const shapeOf = new Map(tracks.map((track, i) => [track, shapes[i]]));
      const followed = tracks.filter((track) => {
        const shape = shapeOf.get(track)!;
        const box = boxOf(shape.landmarks);
        if ((shape.confidence ?? 1) < minConfidence || !isPlausible(box, track.box, pixels)) return false;
        move(track, box);
        track.turn = turnOf(shape);
        track.look = cropUpright(pixels, uprightCrop(shape.landmarks, turnInPlane(shape.landmarks)), LOOK);
        return true;
      });
      const isRival = (a: Track, b: Track): boolean =>
        rivals.some(([track, other]) => (track === a && other === b) || (track === b && other === a));
      const isOne = (a: Track, b: Track): boolean =>
        boxOverlap(a.box, b.box) > (isRival(a, b) ? minOverlap : ONE_FACE);
      tracks = followed.filter(
        (track, i) =>
          !followed.some((other, k) => k !== i && isOne(track, other) && isBehind(track, other, k < i)),
      );
      for (const track of tracks) {
        if (track.sight === undefined || !tracks.some((other) => isNear(track, other))) {
          const { box, course = [0, 0], look } = track;
          track.sight = { box, course, look: look!, frame };
        }
        if (track.id === 0) name(track);
      }
      for (const track of before) {
        if (tracks.includes(track)) continue;
        lost.push({ id: track.id, sight: track.sight!, seconds });
        options.onLost?.(track.id, seconds);
      }
      return tracks.map((track) => {
        const shape = shapeOf.get(track)!;
        const landmarks = track.smoother?.smooth(shape.landmarks, seconds) ?? shape.landmarks;
        return { ...shape, landmarks, id: track.id };
      });
    },
    reset: () => {
      tracks = [];
      lost = [];
      sinceDetection = Infinity;
    },
  };
}

/** Where a face is to be looked for in the next frame. */
function nextBox({ box, velocity: [u, v] }: Track): Box {
  const isMoving = Math.hypot(u, v) > MOVING * Math.max(box.width, box.height);
  return isMoving ? { ...box, x: box.x + u, y: box.y + v } : box;
}

function move(track: Track, box: Box): void {
  const [toX, toY] = centerOf(box);
  const [fromX, fromY] = centerOf(track.box);
  const [x, y] = [toX - fromX, toY - fromY];
  const [u, v] = track.velocity;
  track.surprise = track.isNew ? Infinity : Math.hypot(x - u, y - v);
  if (!track.isNew) {
    const [a, b] = track.course ?? [x, y];
    track.course = [a + COURSE * (x - a), b + COURSE * (y - b)];
    track.velocity = [(u + x) / 2, (v + y) / 2];
  }
  track.box = box;
  track.isNew = false;
}

/**
 * Of two tracks on one face that one stays which looks as before, or that moved on as before where both look so or neither: the
 * other's face is hidden.
 */
function isBehind(track: Track, other: Track, isLater: boolean): boolean {
  const change = ({ look, sight }: Track): number => (sight ? differenceOf(look!, sight.look) : Infinity);
  const [own, others] = [change(track), change(other)];
  if (Math.abs(own - others) > CLEARLY) return own > others;
  return track.surprise > other.surprise || (track.surprise === other.surprise && isLater);
}

/** Whether one of two heads may cover a part of the other. */
function isNear(track: Track, other: Track): boolean {
  const [x, y] = centerOf(track.box);
  const [otherX, otherY] = centerOf(other.box);
  const reach = (a: number, b: number): number => (HEAD * (a + b)) / 2;
  return (
    track !== other &&
    Math.abs(x - otherX) < reach(track.box.width, other.box.width) &&
    Math.abs(y - otherY) < reach(track.box.height, other.box.height)
  );
}

/** Mean difference of the values, 0..1, in that half of the circle that a face fills in which they differ least: the rest may be covered. */
function differenceOf(a: Uint8Array, b: Uint8Array): number {
  const differences: number[] = [];
  for (let i = 0; i < a.length; i += 3) {
    const [x, y] = [(i / 3) % LOOK, Math.floor(i / 3 / LOOK)].map((at) => at + 0.5 - LOOK / 2);
    if (Math.hypot(x, y) > LOOK / 2) continue;
    const [red, green, blue] = [0, 1, 2].map((c) => Math.abs(a[i + c] - b[i + c]));
    differences.push(red + green + blue);
  }
  const least = differences.sort((d, e) => d - e).slice(0, differences.length / 2);
  return least.reduce((sum, value) => sum + value, 0) / least.length / (3 * 255);
}

/** Whether a face is within its size of the way that a lost one has gone since, and of like size. */
function isOnItsWay(box: Box, { box: before, course, frame }: Sight, now: number): boolean {
  const size = Math.max(before.width, before.height);
  const ratio = Math.max(box.width, box.height) / size;
  const [x, y] = centerOf(box);
  const [fromX, fromY] = centerOf(before);
  const [u, v] = course.map((value) => value * (now - frame));
  const length = u * u + v * v;
  const share = length > 0 ? Math.min(1, Math.max(0, ((x - fromX) * u + (y - fromY) * v) / length)) : 0;
  return ratio > 0.6 && ratio < 1.7 && Math.hypot(x - fromX - share * u, y - fromY - share * v) < size;
}

function centerOf({ x, y, width, height }: Box): [number, number] {
  return [x + width / 2, y + height / 2];
}

/** How far the head is turned in the picture's plane, degrees; 0 when it is nearly upright. */
function turnOf({ landmarks }: FaceShape): number {
  const turn = turnInPlane(landmarks);
  return Math.abs(turn) > UPRIGHT ? turn : 0;
}

/** A face whose centre is in the picture and whose size is within a factor of 2.5 of that of the frame before. */
function isPlausible(box: Box, before: Box, image: { width: number; height: number }): boolean {
  const [x, y] = centerOf(box);
  const ratio = Math.max(box.width, box.height) / Math.max(before.width, before.height);
  return x >= 0 && y >= 0 && x < image.width && y < image.height && ratio > 0.4 && ratio < 2.5;
}
