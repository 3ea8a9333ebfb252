import { boxOf, type Landmarks } from '@voxface/landmarks';
import { drawOverlay } from './draw-overlay.ts';

/** Angles of the 3D view in degrees. */
export interface View {
  yaw: number;
  pitch: number;
}

/** Draws landmarks turned by the view's angles, filling a square canvas. */
export function drawShape(canvas: HTMLCanvasElement, landmarks: Landmarks<3>, view: View): void {
  const context = canvas.getContext('2d') as CanvasRenderingContext2D;
  context.clearRect(0, 0, canvas.width, canvas.height);
  const box = boxOf(landmarks);
  const scale = (0.72 * canvas.width) / Math.max(box.width, box.height);
  const [cy, sy] = cosSin(view.yaw);
  const [cp, sp] = cosSin(view.pitch);
  const turned = new Float32Array(landmarks.points.length);
  for (let i = 0; i < turned.length; i += 3) {
    const x = landmarks.points[i] - box.x - box.width / 2;
    const y = landmarks.points[i + 1] - box.y - box.height / 2;
    const z = landmarks.points[i + 2];
    const depth = cy * z - sy * x;
    turned[i] = canvas.width / 2 + scale * (cy * x + sy * z);
    turned[i + 1] = canvas.height / 2 + scale * (cp * y - sp * depth);
    turned[i + 2] = sp * y + cp * depth;
  }
  drawOverlay(context, { points: turned, dims: 3 }, 1.2);
}

function cosSin(degrees: number): [number, number] {
  const radians = (degrees * Math.PI) / 180;
  return [Math.cos(radians), Math.sin(radians)];
}
