import type { Provenance, Sample } from '@voxface/datasets';
import { type Box, boxOf, createRandom, type Landmarks, type Pixels } from '@voxface/landmarks';
import { cutFace } from './cut-face.ts';
import type { FaceModel } from './face-model.ts';
import type { FaceFit } from './fit-face.ts';
import { profileFace } from './profile-face.ts';
import { profileYaws } from './profile-yaws.ts';

/** One picture of a face, ready to be written. */
export interface View {
  id: string;
  image: Pixels;
  landmarks: Landmarks<3>;
  box: Box;
  yaw: number;
  provenance: Provenance;
}

/** The part of `ProfiledSetOptions` that decides what a picture shows. */
export interface ViewSettings {
  readonly model: FaceModel;
  readonly yaws: number | readonly number[];
  readonly maximumYaw: number;
  readonly unturned: boolean;
  readonly size: number;
  readonly seed: number;
}

/**
 * The un-turned face with its 3D landmarks, and its profiles.
 * @param index of the sample in its dataset: with the seed it decides the shifts of the yaws, whatever the shard.
 */
export function renderViews(settings: ViewSettings, sample: Sample, fit: FaceFit, index: number): View[] {
  const { model, size, seed, maximumYaw, unturned } = settings;
  const views: View[] = [];
  const describe = (change: string): Provenance => ({
    ...sample.provenance,
    conversions: [...sample.provenance.conversions, change],
  });
  if (unturned) {
    const cut = cutFace(sample.image, fit.landmarks, size);
    views.push({
      id: sample.id,
      ...cut,
      box: boxOf(cut.landmarks),
      yaw: fit.pose.yaw,
      provenance: describe(
        `z of all landmarks and x, y of the jaw (0..16) from a fit of ${model.name}; x, y of 17..67 as annotated`,
      ),
    });
  }
  const yaws =
    typeof settings.yaws === 'number'
      ? profileYaws(fit.pose.yaw, settings.yaws, maximumYaw, createRandom(seed * 1_000_003 + index))
      : settings.yaws;
  yaws.forEach((yaw, k) => {
    const { image, landmarks } = profileFace(model, fit, sample.image, yaw, { size });
    views.push({
      id: `${sample.id}_p${k + 1}`,
      image,
      landmarks,
      box: boxOf(landmarks),
      yaw,
      provenance: describe(
        `turned from yaw ${fit.pose.yaw.toFixed(1)} to ${yaw.toFixed(1)} by face profiling with ${model.name}`,
      ),
    });
  });
  return views;
}
