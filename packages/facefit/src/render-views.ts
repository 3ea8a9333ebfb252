import type { Provenance, Sample } from '@voxface/datasets';
import {
  type Box,
  boxOf,
  centerDepth,
  createRandom,
  cropAffine,
  type Landmarks,
  type Pixels,
  transformLandmarks,
} from '@voxface/landmarks';
import type { FaceModel } from './face-model.ts';
import { type FaceFit, type FitFaceOptions, fitFace } from './fit-face.ts';
import { fitLabels } from './lift-landmarks.ts';
import { profileFace } from './profile-face.ts';
import { type PoseDistribution, profilePoses } from './profile-poses.ts';
import { createRaster, samplePixels } from './raster.ts';

/** One picture of a face, ready to be written. */
interface View {
  id: string;
  image: Pixels;
  landmarks: Landmarks<3>;
  box: Box;
  yaw: number;
  provenance: Provenance;
}

/** The part of `ProfiledSetOptions` that decides what a picture shows. */
interface ViewSettings extends PoseDistribution {
  readonly model: FaceModel;
  readonly labels?: FaceModel;
  readonly fit?: FitFaceOptions;
  readonly unturned: boolean;
  readonly size: number;
  readonly seed: number;
  /** Goes into the names of turned views, so that several sets of the same photos can be joined. */
  readonly suffix: string;
}

/**
 * The original face with its 3D landmarks, and its profiles. With `labels`, a second morphable face gives the depth of all
 * landmarks and x, y of the jaw: fitted to the annotated points of the original face. The relief is bent to that depth, so
 * that in a profile they turn by as much as the picture does (as in 300W-LP, where one model is both).
 * @param index of the sample in its dataset: with the seed it decides the poses, whatever the shard.
 */
export function renderViews(settings: ViewSettings, sample: Sample, index: number): View[] {
  const { model, labels, size, seed, unturned, suffix } = settings;
  const visible = sample.visible && { visible: sample.visible };
  // Where nothing is turned and the labels are another model's, the head is not needed.
  const head =
    labels && settings.yaws === 0
      ? undefined
      : fitFace(model, sample.landmarks, { ...settings.fit, ...visible });
  const views: View[] = [];
  const describe = (change: string): Provenance => ({
    ...sample.provenance,
    conversions: [...sample.provenance.conversions, change],
  });
  const source = (labels ?? model).name;
  // Where the jaw line itself is annotated, no head is needed to find it.
  const jaw = settings.fit?.jaw ?? 'contour';
  const label =
    labels &&
    (jaw === 'contour'
      ? fitLabels(labels, sample.landmarks, { ...visible, head: model })
      : fitFace(labels, sample.landmarks, { ...settings.fit, ...visible }));
  if (unturned) {
    const { landmarks, pose } = label ?? head!;
    const cut = cutFace(sample.image, landmarks, size);
    views.push({
      id: sample.id,
      ...cut,
      box: boxOf(cut.landmarks),
      yaw: pose.yaw,
      provenance: describe(
        `z of all landmarks and x, y of the jaw (0..16) from a fit of ${source}; x, y of 17..67 as annotated`,
      ),
    });
  }
  if (!head) return views;
  const laid = label ? { ...head, landmarks: label.landmarks } : head;
  const poses = profilePoses(head.pose, settings, createRandom(seed * 1_000_003 + index));
  poses.forEach((goal, k) => {
    const { image, landmarks, pose } = profileFace(model, laid, sample.image, goal, { size });
    views.push({
      id: `${sample.id}_${suffix}${k + 1}`,
      image,
      landmarks,
      box: boxOf(landmarks),
      yaw: pose.yaw,
      provenance: describe(
        `turned from ${describePose(head.pose)} to ${describePose(pose)} by face profiling with ${model.name}; depth and jaw of ${source}`,
      ),
    });
  });
  return views;
}

function describePose({ yaw, pitch, roll }: FaceFit['pose']): string {
  return `yaw ${yaw.toFixed(1)}, pitch ${pitch.toFixed(1)}, roll ${roll.toFixed(1)}`;
}

/**
 * Cuts a square around a face: centre of the landmark box, twice its longer side; photos end in a mirrored margin.
 * @param size side of the result, pixels; never enlarges the photo.
 */
function cutFace(
  image: Pixels,
  landmarks: Landmarks<3>,
  size: number,
): { image: Pixels; landmarks: Landmarks<3> } {
  const crop = cropAffine(boxOf(landmarks), { scale: 2 });
  const side = 1 / crop[0];
  const pixels = Math.max(16, Math.min(size, Math.round(side)));
  const raster = createRaster(pixels);
  raster.depth.fill(0);
  const step = side / pixels;
  for (let at = 0; at < pixels * pixels; at++) {
    raster.values[2 * at] = (((at % pixels) + 0.5) / pixels - crop[4]) * side;
    raster.values[2 * at + 1] = ((Math.floor(at / pixels) + 0.5) / pixels - crop[5]) * side;
  }
  const data = samplePixels(image, raster, step);
  const unit = transformLandmarks(landmarks, crop);
  const points = Float32Array.from(unit.points, (value, i) => value * pixels - (i % 3 === 2 ? 0 : 0.5));
  return {
    image: { data, width: pixels, height: pixels, channels: 3 },
    landmarks: centerDepth({ points, dims: 3 }),
  };
}
