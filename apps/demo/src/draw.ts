import { boxOf, countLandmarks, IBUG_68, type Landmarks } from '@voxface/landmarks';
import type { Face, FaceVolume } from 'voxface/web';

const CLOSED = ['right-eye', 'left-eye', 'outer-lips', 'inner-lips'];

/** Angles of the views in degrees. */
export interface View {
  yaw: number;
  pitch: number;
}

type Point = readonly [x: number, y: number, z: number];

/** Colour of a landmark: the hue wheel of the semantic volume, in index order. */
function hueOf(index: number, count: number, light = 60): string {
  return `hsl(${(360 * index) / count} 95% ${light}%)`;
}

/**
 * Draws landmarks and the lines of the facial parts; `at` maps an index to pixels and a nearness of 0..1. What is uncertain
 * (`sure`, 0..1) is faint.
 */
function drawFace(
  context: CanvasRenderingContext2D,
  count: number,
  at: (index: number) => Point,
  size: number,
  sure: (index: number) => number = () => 1,
): void {
  context.lineJoin = 'round';
  context.lineCap = 'round';
  for (const [part, indices] of Object.entries(IBUG_68.groups)) {
    const ends = indices.map((i, k) => [indices.at(k - 1)!, i]).slice(CLOSED.includes(part) ? 0 : 1);
    // Dark below, so that the lines are seen on any skin and any background.
    for (const [style, width] of [
      ['rgb(0 0 0 / 0.45)', 1.9 * size],
      [hueOf(indices[indices.length >> 1], count, 65), 0.9 * size],
    ] as const) {
      context.strokeStyle = style;
      context.lineWidth = width;
      for (const [a, b] of ends) {
        context.globalAlpha = 0.2 + 0.8 * Math.min(sure(a), sure(b));
        context.beginPath();
        context.moveTo(at(a)[0], at(a)[1]);
        context.lineTo(at(b)[0], at(b)[1]);
        context.stroke();
      }
    }
  }
  const order = Array.from({ length: count }, (_, i) => ({ i, point: at(i) }));
  order.sort((a, b) => a.point[2] - b.point[2]);
  for (const { i, point } of order) {
    context.globalAlpha = 0.2 + 0.8 * sure(i);
    context.fillStyle = hueOf(i, count, 42 + 26 * point[2]);
    context.strokeStyle = 'rgb(0 0 0 / 0.5)';
    context.lineWidth = 0.5 * size;
    context.beginPath();
    context.arc(point[0], point[1], size * (1 + 0.9 * point[2]), 0, 2 * Math.PI);
    context.fill();
    context.stroke();
  }
  context.globalAlpha = 1;
}

/** Draws a face's landmarks onto its picture, as opaque as they are certain. */
export function drawOverlay(
  context: CanvasRenderingContext2D,
  { landmarks: { points, dims }, landmarkConfidence }: Face,
  size: number,
): void {
  const count = points.length / dims;
  const at = (i: number): Point => [points[i * dims] + 0.5, points[i * dims + 1] + 0.5, 0.5];
  drawFace(context, count, at, size, (i) => landmarkConfidence?.[i] ?? 1);
}

/** Draws landmarks turned by the view's angles. */
export function drawShape(canvas: HTMLCanvasElement, landmarks: Landmarks<3>, view: View): void {
  const context = clear(canvas);
  const box = boxOf(landmarks);
  const depths = landmarks.points.filter((_, k) => k % 3 === 2);
  const [near, far] = [Math.min(...depths), Math.max(...depths)];
  const side = Math.max(box.width, box.height);
  const turn = turner(view);
  // However it is turned, it fits.
  const scale = (0.84 * canvas.width * side) / Math.max(box.height, Math.hypot(box.width, far - near));
  const at = (i: number): Point => {
    const [x, y, z] = turn(
      (landmarks.points[3 * i] - box.x - box.width / 2) / side,
      (landmarks.points[3 * i + 1] - box.y - box.height / 2) / side,
      (landmarks.points[3 * i + 2] - (near + far) / 2) / side,
    );
    return [canvas.width / 2 + scale * x, canvas.height / 2 + scale * y, Math.min(1, Math.max(0, 0.5 - z))];
  };
  drawFace(context, countLandmarks(landmarks), at, canvas.width / 110);
}

/** A volume's voxels that are worth drawing, x, y, z in -0.5..0.5. */
export interface Cloud {
  readonly voxels: readonly { x: number; y: number; z: number; strength: number; color: string }[];
}

/** Picks the voxels that stand out, with their colours at full brightness. */
export function cloudOf({ values, shape: [height, width, depth, channels] }: FaceVolume): Cloud {
  const peak = values.reduce((most, value) => Math.max(most, value), 1e-9);
  const voxels: Cloud['voxels'][number][] = [];
  for (let i = 0, at = 0; i < height * width * depth; i++, at += channels) {
    const color = [0, 1, 2].map((c) => Math.max(0, values[at + Math.min(c, channels - 1)]) / peak);
    const strength = Math.max(...color);
    if (strength < 0.16) continue;
    voxels.push({
      x: (((i / depth) | 0) % width) / width - 0.5,
      y: ((i / (depth * width)) | 0) / height - 0.5,
      z: (i % depth) / depth - 0.5,
      strength,
      color: color.map((value) => Math.round(255 * (value / strength))).join(' '),
    });
  }
  return { voxels };
}

/** Draws a cloud inside its cube, far voxels first, as soft balls. */
export function drawCloud(canvas: HTMLCanvasElement, { voxels }: Cloud, view: View): void {
  const context = clear(canvas);
  const turn = turner(view);
  const scale = 0.57 * canvas.width;
  const place = (x: number, y: number, z: number): Point => {
    const [a, b, c] = turn(x, y, z);
    const near = 1 / (1 + 0.35 * c);
    return [canvas.width / 2 + scale * a * near, canvas.height / 2 + scale * b * near, c];
  };
  drawCube(context, place);
  const placed = voxels.map((voxel) => ({ ...voxel, at: place(voxel.x, voxel.y, voxel.z) }));
  placed.sort((a, b) => b.at[2] - a.at[2]);
  for (const { at, strength, color } of placed) {
    const radius = (0.02 + 0.014 * Math.sqrt(strength)) * canvas.width * (1 - 0.3 * at[2]);
    const glow = context.createRadialGradient(at[0], at[1], 0, at[0], at[1], radius);
    const alpha = 0.06 + 0.5 * strength;
    glow.addColorStop(0, `rgb(${color} / ${alpha})`);
    glow.addColorStop(0.6, `rgb(${color} / ${0.6 * alpha})`);
    glow.addColorStop(1, `rgb(${color} / 0)`);
    context.fillStyle = glow;
    context.fillRect(at[0] - radius, at[1] - radius, 2 * radius, 2 * radius);
  }
}

function drawCube(
  context: CanvasRenderingContext2D,
  place: (x: number, y: number, z: number) => Point,
): void {
  context.strokeStyle = 'rgb(190 210 204 / 0.35)';
  context.lineWidth = 1.5;
  const ends = [-0.5, 0.5];
  for (const a of ends) {
    for (const b of ends) {
      for (const edge of [
        [place(-0.5, a, b), place(0.5, a, b)],
        [place(a, -0.5, b), place(a, 0.5, b)],
        [place(a, b, -0.5), place(a, b, 0.5)],
      ]) {
        context.beginPath();
        context.moveTo(edge[0][0], edge[0][1]);
        context.lineTo(edge[1][0], edge[1][1]);
        context.stroke();
      }
    }
  }
}

function clear(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext('2d') as CanvasRenderingContext2D;
  context.clearRect(0, 0, canvas.width, canvas.height);
  return context;
}

/** Turns a point about the vertical axis, then tips it. */
function turner({ yaw, pitch }: View): (x: number, y: number, z: number) => Point {
  const [a, b] = [(yaw * Math.PI) / 180, (pitch * Math.PI) / 180];
  const [cy, sy, cp, sp] = [Math.cos(a), Math.sin(a), Math.cos(b), Math.sin(b)];
  return (x, y, z) => {
    const depth = cy * z - sy * x;
    return [cy * x + sy * z, cp * y - sp * depth, sp * y + cp * depth];
  };
}
