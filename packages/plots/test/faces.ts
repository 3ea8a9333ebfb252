import { readFileSync } from 'node:fs';
import { createLandmarks, type Landmarks } from '@voxface/landmarks';

const file = new URL('./golden/face.json', import.meta.url);

/** Neutral head of ICT-FaceKit, house axes, unit: face heights, see scripts/golden/plots-face.py. */
export const HEAD: Landmarks<3> = createLandmarks(JSON.parse(readFileSync(file, 'utf8')).points, 3);

/** The head `side` pixels high, its centre at (x, y). */
export function headAt(x: number, y: number, side: number): Landmarks<3> {
  const offset = [x, y, 0];
  return createLandmarks(
    HEAD.points.map((v, i) => v * side + offset[i % 3]),
    3,
  );
}

/** Landmark dots of an SVG in document order; `index` where the drawing says it. */
export function dots(svg: string): { index: number; x: number; y: number; fill: string }[] {
  const pattern =
    /<circle class="landmark"(?: data-landmark="(\d+)")? cx="([-\d.]+)" cy="([-\d.]+)" r="[\d.]+" fill="([^"]+)"/g;
  return [...svg.matchAll(pattern)].map((m) => ({
    index: Number(m[1]),
    x: Number(m[2]),
    y: Number(m[3]),
    fill: m[4],
  }));
}
