import { type Affine, type Box, boxOverlap, type Pixels, withDefaults } from '@voxface/landmarks';
import { resampleUpright } from './crops.ts';
import {
  type BoxCalibration,
  type Candidate,
  calibrateBox,
  type DetectionHead,
  decodeOutputs,
  FACE_API_CALIBRATION,
  NO_CALIBRATION,
} from './detection-head.ts';
import { type ImageSource, toPixels } from './image-source.ts';

/** How far a head is turned in the picture's plane, degrees clockwise. */
export type QuarterTurn = 90 | 180 | -90;
const QUARTER_TURNS: readonly QuarterTurn[] = [90, 180, -90];

/** A face that a detector found. */
export interface DetectedFace {
  /** Estimate of the tight box of the 68 landmarks, in image pixels. */
  readonly box: Box;
  /** Confidence, 0 to 1. */
  readonly score: number;
  /** Present when the head lies on its side or upside down. */
  readonly turn?: QuarterTurn;
}

/** Finds faces; adapters map their detector's boxes to landmark boxes. */
export interface FaceDetector {
  /** Faces in a picture, the most certain first; an empty list when there is none. */
  detect(image: ImageSource): Promise<DetectedFace[]>;
  dispose(): void;
}

/** How a detector looks at pictures, and how its candidates become faces. */
export interface DetectorOptions {
  /** Least confidence of a face. @default 0.5 */
  minScore?: number;
  /** Most faces per picture. @default 100 */
  maxFaces?: number;
  /** False returns the detector's own boxes. @default true */
  calibrated?: boolean;
  /**
   * When the picture is looked at in its three other quarter turns as well: `doubtful` where no face is sure, `always`, `never`.
   * Where a face is doubtful, each turn costs a small look, and a closer one where that shows a face.
   * @default 'doubtful'
   */
  rotations?: 'doubtful' | 'always' | 'never';
  /**
   * Longer side of the smallest faces to be found, in pixels of the picture. Smaller ones than the network sees in the whole
   * picture are looked for in overlapping tiles; where only large faces matter, the picture is shrunk further, which is faster.
   * Null: faces from a twentieth of the picture's longer side on, and half of that in pictures where that finds no face or small
   * ones.
   * @default null
   */
  minFace?: number | null;
}

/** The confidence that face-api uses, boxes mapped to landmark boxes, second looks where the first one leaves doubts. */
export const DETECTOR_DEFAULTS: Required<DetectorOptions> = {
  minScore: 0.5,
  maxFaces: 100,
  calibrated: true,
  rotations: 'doubtful',
  minFace: null,
};

/** A detector's network without its post-processing: a picture in, numbers out. */
export interface DetectionNetwork {
  readonly head: DetectionHead;
  /** Outputs for one picture of RGB bytes [height, width, 3]: the square of the head, or sides that its step allows. */
  run(picture: Uint8Array, width: number, height: number): Promise<readonly Float32Array[]>;
  dispose(): void;
}

/**
 * Smaller looks that come first: longer side of the picture in pixels of the network, the least score of a sure face, and that of what
 * needs a closer look. Over 160 cropped photos (training photos of HELEN, LFPW, AFW; every 17th, 16th, 6th) `ssd` is surer than 0.97 of 152 at
 * 320, of 124 at 512; what it sees at 512 only has 0.15 or more at 192, 0.34 or more at 320. Three quarters are settled at 192.
 */
const GLANCES = {
  ssd: [
    { size: 192, sure: 0.95, doubtful: 0.15 },
    { size: 320, sure: 0.97, doubtful: 0.25 },
  ],
  tiny: [],
};
/** A look settles a picture whose faces all have this score, one of them a sure one. */
const SETTLED = 0.9;
/**
 * Of a picture up to this many times as large as the last of these looks, the whole square shows no more than that look does, but for small faces:
 * of the photos below, 512 finds 53 + 63 + 62 (LFPW, AFW, HELEN), 192 and 320 find 57 + 68 + 63.
 */
const ENLARGED = 1.25;
/**
 * A turn is looked at closely where its first, smaller look shows a face of at least this score, and of this share of the best turn's. Over 189
 * training photos of AFW, HELEN and LFPW (every 5th, 14th, 14th) in each turn, 458 of 567 are found in the right one, 461 by close looks alone.
 */
const TURNED = { score: 0.5, share: 0.9 };
/** A picture without a face of at least this score may be turned: at 320, of 42 faces 40 have it upright, 8 on a side, 2 upside down. */
const SURE = 0.97;
/** Longer side of the smallest faces that the networks find reliably, in their pixels. */
const REACH = { ssd: 28, tiny: 40 };
/** Pixels of the network that tiles share. */
const TILE_OVERLAP = 96;
/** Small pictures are enlarged this much at most. */
const MAX_ENLARGEMENT = 2;
/** Faces whose smaller box lies within the larger by more than this share are one. */
const MAX_INSIDE = 0.7;

/** A detector around anything that runs its network. The network is disposed with the detector. */
export function createDetector(network: DetectionNetwork, options: DetectorOptions = {}): FaceDetector {
  const { minScore, maxFaces, calibrated, rotations, minFace } = withDefaults(DETECTOR_DEFAULTS, options);
  if (!['doubtful', 'always', 'never'].includes(rotations)) {
    throw new RangeError(`createDetector: rotations must be doubtful, always or never, got ${rotations}`);
  }
  if (minFace !== null && !(minFace > 0)) {
    throw new RangeError(`createDetector: minFace must be pixels above 0 or null, got ${minFace}`);
  }
  const { head } = network;
  const { inputSize } = head;
  const reach = REACH[head.kind];
  const calibration = calibrated ? FACE_API_CALIBRATION[head.kind] : NO_CALIBRATION;
  let alive = true;

  async function look(
    pixels: Pixels,
    window: Window,
    turn: 0 | QuarterTurn = 0,
    least = minScore,
    views = new Map<Window, View>(),
  ): Promise<DetectedFace[]> {
    const view = views.get(window) ?? viewOf(pixels, window, head);
    views.set(window, view);
    const [picture, size] = turnPicture(view, turn);
    const candidates = decodeOutputs(head, await network.run(picture, ...size), size, least);
    const kept = suppressNonMaxima(candidates, maxFaces, (a, b) => boxOverlap(a, b) > head.overlap);
    return kept.flatMap((face) => toFace(face, window, view, turn, calibration, pixels) ?? []);
  }

  async function search(pixels: Pixels): Promise<DetectedFace[]> {
    const longer = Math.max(pixels.width, pixels.height);
    const fit = inputSize / longer;
    const asked = minFace === null ? fit : Math.min(MAX_ENLARGEMENT, reach / minFace);
    const whole = { x: 0, y: 0, width: pixels.width, height: pixels.height, scale: Math.min(fit, asked) };
    // Networks that take only squares spend as much on a small picture as on a large one.
    const glances = (head.step === undefined ? [] : GLANCES[head.kind]).flatMap((glance) => {
      const scale = glance.size / longer;
      return scale < whole.scale ? [{ ...glance, window: { ...whole, scale } }] : [];
    });
    let faces: DetectedFace[] = [];
    /** Of the whole picture, which turns show again. */
    const views = new Map<Window, View>();
    const add = async (windows: readonly Window[], turn: 0 | QuarterTurn = 0): Promise<void> => {
      for (const window of windows) {
        const kept = window.width === pixels.width && window.height === pixels.height ? views : undefined;
        const seen = await look(pixels, window, turn, minScore, kept);
        faces = mergeFaces([...faces, ...seen], maxFaces);
      }
    };
    const likelyTurns = async (window: Window | undefined): Promise<readonly QuarterTurn[]> => {
      if (window === undefined) return QUARTER_TURNS;
      const best: number[] = [];
      for (const turn of QUARTER_TURNS) {
        const [first] = await look(pixels, window, turn, Math.min(minScore, TURNED.score), views);
        best.push(first?.score ?? 0);
      }
      const least = Math.max(TURNED.score, TURNED.share * Math.max(...best));
      const likely = QUARTER_TURNS.filter((_, i) => best[i] >= least);
      return likely.length === 0 && faces.length === 0 ? QUARTER_TURNS : likely;
    };
    const isSure = (): boolean => faces.some(({ score }) => score >= SURE);
    const hasSmall = ({ scale }: Window): boolean =>
      faces.some(({ box }) => Math.max(box.width, box.height) * scale < 2 * reach);

    // Small pictures of large faces gain nothing by being enlarged further than the last glance does.
    const isSeen = (): boolean =>
      minFace === null &&
      longer <= ENLARGED * (glances.at(-1)?.size ?? 0) &&
      faces.length > 0 &&
      !hasSmall(glances.at(-1)!.window);
    let settled = false;
    for (const { window, sure, doubtful } of glances) {
      const seen = mergeFaces(await look(pixels, window, 0, Math.min(minScore, doubtful), views), maxFaces);
      faces = seen.filter(({ score }) => score >= minScore);
      settled =
        faces.some(({ score }) => score >= sure) &&
        seen.every(({ score }) => score >= SETTLED) &&
        !hasSmall(window);
      if (settled) break;
    }
    if (!settled && !isSeen()) await add([whole]);
    if (rotations === 'always') {
      for (const turn of QUARTER_TURNS) await add([whole], turn);
    } else if (rotations === 'doubtful' && !settled && !isSure()) {
      for (const turn of await likelyTurns(glances[0]?.window)) {
        await add([glances.at(-1)?.window ?? whole], turn);
      }
    }
    if (minFace !== null) {
      if (asked > fit) await add(tilesOf(pixels, asked, inputSize));
    } else if (fit < 1 && !settled && (!faces.some(({ score }) => score >= SETTLED) || hasSmall(whole))) {
      await add(tilesOf(pixels, Math.min(1, fit * (2 - TILE_OVERLAP / inputSize)), inputSize));
    }
    return faces;
  }

  return {
    detect: async (image) => {
      if (!alive) throw new Error('detect: this detector was disposed (create another)');
      return search(await toPixels(image));
    },
    dispose: () => {
      if (alive) network.dispose();
      alive = false;
    },
  };
}

/** A part of the picture, in its pixels from the top left corner on, and how many pixels of the network become of one. */
interface Window extends Box {
  readonly scale: number;
}

/** What the network is shown: the window in the top left of black. */
interface View {
  /** RGB bytes [height, width, 3]. */
  readonly picture: Uint8Array;
  readonly width: number;
  readonly height: number;
}

function viewOf(image: Pixels, { x, y, width, height, scale }: Window, head: DetectionHead): View {
  const { inputSize, step = inputSize } = head;
  const extent = (length: number): number =>
    Math.min(inputSize, step * Math.max(1, Math.ceil((length * scale - 0.5) / step)));
  const size = [extent(width), extent(height)] as const;
  const affine: Affine = [
    scale / size[0],
    0,
    0,
    scale / size[1],
    (scale * (0.5 - x)) / size[0],
    (scale * (0.5 - y)) / size[1],
  ];
  return { picture: resampleUpright(image, affine, ...size), width: size[0], height: size[1] };
}

/** The picture as it is when heads that are turned by `turn` stand upright. */
function turnPicture(view: View, turn: 0 | QuarterTurn): [Uint8Array, [width: number, height: number]] {
  const { picture, width, height } = view;
  if (turn === 0) return [picture, [width, height]];
  const [wide, tall] = turn === 180 ? [width, height] : [height, width];
  const turned = new Uint8Array(picture.length);
  for (let row = 0, at = 0; row < tall; row++) {
    for (let column = 0; column < wide; column++, at += 3) {
      const [x, y] =
        turn === 180
          ? [width - 1 - column, height - 1 - row]
          : turn === 90
            ? [width - 1 - row, column]
            : [row, height - 1 - column];
      const from = 3 * (y * width + x);
      turned[at] = picture[from];
      turned[at + 1] = picture[from + 1];
      turned[at + 2] = picture[from + 2];
    }
  }
  return [turned, [wide, tall]];
}

/** A box in the turned picture as a box in the one that was turned, of `width` x `height`, or back with `turn` negated. */
function turnBox(box: Box, turn: 0 | QuarterTurn, width: number, height: number): Box {
  const right = width - box.x - box.width;
  const bottom = height - box.y - box.height;
  if (turn === 180) return { ...box, x: right, y: bottom };
  if (turn === 0) return box;
  const turned = { width: box.height, height: box.width };
  return turn === 90
    ? { ...turned, x: width - box.y - box.height, y: box.x }
    : { ...turned, x: box.y, y: height - box.x - box.width };
}

/**
 * Clips a candidate to the picture, as face-api does, and maps it to a landmark box in pixels; undefined where the window's edge
 * cuts through it, because the next window shows it whole.
 */
function toFace(
  candidate: Candidate,
  window: Window,
  view: View,
  turn: 0 | QuarterTurn,
  calibration: BoxCalibration,
  image: Pixels,
): DetectedFace | undefined {
  const { scale } = window;
  const seen = turnBox(candidate, turn, view.width, view.height);
  const [left, top] = [seen.x / scale + window.x, seen.y / scale + window.y];
  const [right, bottom] = [left + seen.width / scale, top + seen.height / scale];
  const slack = 0.05;
  const cut =
    (window.x > 0 && left < window.x - (slack * seen.width) / scale) ||
    (window.y > 0 && top < window.y - (slack * seen.height) / scale) ||
    (window.x + window.width < image.width &&
      right > window.x + window.width + (slack * seen.width) / scale) ||
    (window.y + window.height < image.height &&
      bottom > window.y + window.height + (slack * seen.height) / scale);
  if (cut) return undefined;
  const [x, y] = [Math.max(0, left), Math.max(0, top)];
  const box = { x, y, width: Math.min(image.width, right) - x, height: Math.min(image.height, bottom) - y };
  if (!(box.width > 0 && box.height > 0)) return undefined;
  // What a detector's box leaves out depends on where the head's top is: shifts and scales belong to the upright frame.
  const upright = calibrateBox(turnBack(box, turn), calibration);
  const placed = turnBox(upright, turn, 0, 0);
  return {
    box: { ...placed, x: placed.x - 0.5, y: placed.y - 0.5 },
    score: candidate.score,
    ...(turn !== 0 && { turn }),
  };
}

/** Undoes `turnBox` of a picture without size. */
function turnBack(box: Box, turn: 0 | QuarterTurn): Box {
  return turnBox(box, turn === 90 ? -90 : turn === -90 ? 90 : turn, 0, 0);
}

/** Windows of at most `size` pixels of the network at the given scale, sharing `TILE_OVERLAP` of them. */
function tilesOf(image: Pixels, scale: number, size: number): Window[] {
  const along = (length: number): { start: number; extent: number }[] => {
    const span = length * scale;
    const count = span <= size ? 1 : Math.ceil((span - TILE_OVERLAP) / (size - TILE_OVERLAP));
    const extent = (span + (count - 1) * TILE_OVERLAP) / count / scale;
    return Array.from({ length: count }, (_, i) => ({ start: i * (extent - TILE_OVERLAP / scale), extent }));
  };
  return along(image.height).flatMap(({ start: y, extent: height }) =>
    along(image.width).map(({ start: x, extent: width }) => ({ x, y, width, height, scale })),
  );
}

/** Faces that several looks found are one, whatever the turns. */
function mergeFaces(faces: readonly DetectedFace[], limit: number): DetectedFace[] {
  const isSame = (a: DetectedFace, b: DetectedFace): boolean =>
    boxOverlap(a.box, b.box) > 0.4 || shareInside(a.box, b.box) > MAX_INSIDE;
  return suppressNonMaxima(faces, limit, isSame);
}

/** Share of the smaller box that lies within the larger. */
function shareInside(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  return (width * height) / Math.min(a.width * a.height, b.width * b.height);
}

/** Greedy non-maximum suppression: the most certain that are the same as no better one, the most certain first. */
function suppressNonMaxima<T extends { readonly score: number }>(
  candidates: readonly T[],
  limit: number,
  isSame: (a: T, b: T) => boolean,
): T[] {
  const kept: T[] = [];
  for (const candidate of [...candidates].sort((a, b) => b.score - a.score)) {
    if (kept.length >= limit) break;
    if (!kept.some((other) => isSame(candidate, other))) kept.push(candidate);
  }
  return kept;
}
