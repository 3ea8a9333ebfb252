import { boxOf, cropAffine, cropPixels, type Landmarks } from '@voxface/landmarks';
import { type ImageSource, toPixels } from '@voxface/predict';
import type { View } from './draw-shape.ts';
import type { Localizer } from './localizer.ts';

/** Runs the estimator on one face and draws its last volume as coloured points, turned by the view's angles. */
export async function drawVolume(
  canvas: HTMLCanvasElement,
  localizer: Localizer,
  image: ImageSource,
  landmarks: Landmarks<3>,
  view: View,
): Promise<void> {
  const crop = cropPixels(await toPixels(image), cropAffine(boxOf(landmarks)), localizer.inputSize);
  const { values, shape } = await localizer.estimateVolume(crop);
  drawPoints(canvas, values, shape, view);
}

function drawPoints(
  canvas: HTMLCanvasElement,
  values: Float32Array,
  shape: readonly number[],
  view: View,
): void {
  const [height, width, depth, channels] = shape;
  const context = canvas.getContext('2d') as CanvasRenderingContext2D;
  context.clearRect(0, 0, canvas.width, canvas.height);
  const peak = values.reduce((most, value) => Math.max(most, value), 1e-9);
  const yaw = (view.yaw * Math.PI) / 180;
  const [cos, sin] = [Math.cos(yaw), Math.sin(yaw)];
  for (let i = 0, at = 0; i < height * width * depth; i++, at += channels) {
    const color = [0, 1, 2].map((c) => Math.max(0, values[at + Math.min(c, channels - 1)]) / peak);
    const strength = Math.max(...color);
    if (strength < 0.12) continue;
    const x = (((i / depth) | 0) % width) / width - 0.5;
    const y = ((i / (depth * width)) | 0) / height - 0.5;
    const z = (i % depth) / depth - 0.5;
    context.fillStyle = `rgb(${color.map((v) => Math.round((255 * v) / strength)).join(' ')} / ${0.75 * strength})`;
    const radius = 1 + 3.5 * strength;
    const left = canvas.width * (0.5 + 0.95 * (cos * x + sin * z)) - radius / 2;
    context.fillRect(left, canvas.height * (0.5 + 0.95 * y) - radius / 2, radius, radius);
  }
}
