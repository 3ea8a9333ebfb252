import { IBUG_68, type LandmarkScheme, type Landmarks, withDefaults } from '@voxface/landmarks';
import type { PointCloud } from '@voxface/volume';
import { checkDrawable, connectParts, IBUG_68_TRIANGLES, schemeFor } from './parts.ts';
import { escapeXml, landmarkColor, toHex } from './svg.ts';

/** One face of the page. */
export interface PageFace {
  readonly landmarks: Landmarks<3>;
  readonly name?: string;
  /** Points of its volume in the same crop, see `sampleCloud`; shown with a switch. */
  readonly cloud?: PointCloud;
  /** Landmarks in crop unit space [n, 3], needed to lay the cloud over them. */
  readonly unit?: Landmarks<3>;
}

export interface View3dPageOptions {
  scheme?: LandmarkScheme;
  /** @default 'voxface: 3D view' */
  title?: string;
}

export const VIEW3D_PAGE_DEFAULTS: { title: string } = { title: 'voxface: 3D view' };

/**
 * A self-contained HTML page with a 3D view that turns under mouse, finger or arrow keys. No outside file is loaded.
 * @throws RangeError when there is no face, or a face has no finite 3D landmarks.
 * @example
 * ```js
 * import { MEAN_FACE_68 } from '@voxface/landmarks';
 * import { view3dPage } from '@voxface/plots';
 *
 * console.log(view3dPage([{ landmarks: MEAN_FACE_68 }]).startsWith('<!doctype html>')); // => true
 * ```
 */
export function view3dPage(faces: readonly PageFace[], options: View3dPageOptions = {}): string {
  const { title, scheme } = withDefaults(VIEW3D_PAGE_DEFAULTS, options);
  if (faces.length === 0) throw new RangeError('view3dPage: expected at least one face, got none');
  const data = faces.map((face, i) => pageFace(face, i, scheme));
  // `<` is written as an escape, so that no text inside the data can end the script element.
  const json = JSON.stringify(data).replaceAll('<', '\\u003c');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeXml(title)}</title>
<style>
html, body { margin: 0; height: 100%; background: #14171d; color: #dbe0ea; font: 14px "DejaVu Sans", Verdana, sans-serif; overflow: hidden; }
canvas { display: block; width: 100vw; height: 100vh; touch-action: none; cursor: grab; }
canvas:focus { outline: none; }
#bar { position: fixed; left: 0; right: 0; top: 0; padding: 12px 16px; display: flex; gap: 16px; align-items: center; flex-wrap: wrap; }
#bar h1 { font-size: 16px; margin: 0; font-weight: 600; }
#hint { position: fixed; bottom: 12px; width: 100%; text-align: center; opacity: 0.55; pointer-events: none; }
select, button { background: #222832; color: inherit; border: 1px solid #3a4250; border-radius: 6px; padding: 4px 10px; font: inherit; }
</style>
</head>
<body>
<canvas id="view" tabindex="0" role="img" aria-label="3D view of face landmarks"></canvas>
<div id="bar"><h1>${escapeXml(title)}</h1><select id="face" aria-label="face"></select><button id="cloud" type="button">volume</button><button id="surface" type="button">surface</button><button id="spin" type="button">turn</button></div>
<div id="hint">drag to turn, wheel to zoom, arrow keys work too</div>
<script type="application/json" id="data">${json}</script>
<script>${VIEW3D_SCRIPT}</script>
</body>
</html>
`;
}

const round = (v: number): number => Math.round(v * 1e4) / 1e4;

function pageFace(face: PageFace, index: number, named: LandmarkScheme | undefined) {
  const shape = face.unit ?? face.landmarks;
  if (shape.dims !== 3) throw new RangeError(`view3dPage: expected 3D landmarks, got dims ${shape.dims}`);
  const count = checkDrawable('view3dPage', shape);
  const scheme = schemeFor('view3dPage', count, named, IBUG_68);
  if (face.cloud && !face.unit) {
    throw new RangeError(
      'view3dPage: a cloud needs the landmarks in crop unit space, got none (pass `unit`)',
    );
  }
  return {
    name: face.name ?? `face ${index + 1}`,
    points: Array.from(shape.points, round),
    colors: Array.from({ length: count }, (_, i) => toHex(landmarkColor(i, count))),
    segments: scheme ? connectParts(scheme) : [],
    shaded: scheme?.name === IBUG_68.name,
    cloud: face.cloud && {
      points: Array.from(face.cloud.positions, round),
      colors: Array.from(face.cloud.density, (_, i) =>
        toHex([face.cloud!.colors[3 * i], face.cloud!.colors[3 * i + 1], face.cloud!.colors[3 * i + 2]]),
      ),
    },
  };
}

/** The script of the 3D page: plain canvas drawing, painter's order, the same turn as `viewRotation`. */
const VIEW3D_SCRIPT: string = `
'use strict';
const faces = JSON.parse(document.getElementById('data').textContent);
const triangles = [${IBUG_68_TRIANGLES.join(',')}];
const canvas = document.getElementById('view');
const context = canvas.getContext('2d');
const view = { face: 0, yaw: 30, pitch: -8, zoom: 1, cloud: true, surface: true, spin: false };
const rad = Math.PI / 180;

function fit(points) {
  const low = [Infinity, Infinity, Infinity], high = [-Infinity, -Infinity, -Infinity];
  points.forEach((v, i) => { low[i % 3] = Math.min(low[i % 3], v); high[i % 3] = Math.max(high[i % 3], v); });
  const center = low.map((v, k) => (v + high[k]) / 2);
  let reach = 1e-9;
  for (let i = 0; i < points.length; i += 3) {
    reach = Math.max(reach, Math.hypot(points[i] - center[0], points[i + 1] - center[1], points[i + 2] - center[2]));
  }
  return { center, reach };
}

function turn(points, center) {
  const cy = Math.cos(view.yaw * rad), sy = Math.sin(view.yaw * rad);
  const cp = Math.cos(view.pitch * rad), sp = Math.sin(view.pitch * rad);
  const out = new Float64Array(points.length);
  for (let i = 0; i < points.length; i += 3) {
    const x = points[i] - center[0], y = points[i + 1] - center[1], z = points[i + 2] - center[2];
    const depth = sy * x + cy * z;
    out[i] = cy * x - sy * z;
    out[i + 1] = cp * y + sp * depth;
    out[i + 2] = cp * depth - sp * y;
  }
  return out;
}

function draw() {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  const face = faces[view.face];
  const { center, reach } = fit(face.points);
  const scale = 0.4 * Math.min(width, height) * view.zoom / reach;
  const at = turn(face.points, center);
  const X = (p, i) => width / 2 + p[3 * i] * scale, Y = (p, i) => height / 2 + p[3 * i + 1] * scale;
  const fade = (z) => 1 - 0.55 * Math.max(0, Math.min(1, 0.5 + z / (2 * reach)));
  const pieces = [];
  if (view.surface && face.shaded) {
    for (let t = 0; t < triangles.length; t += 3) {
      const [a, b, c] = triangles.slice(t, t + 3);
      const u = [0, 1, 2].map((k) => at[3 * b + k] - at[3 * a + k]), v = [0, 1, 2].map((k) => at[3 * c + k] - at[3 * a + k]);
      const n = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
      const length = Math.hypot(...n) || 1, sign = n[2] > 0 ? -1 : 1;
      const light = Math.max(0, sign * (-0.38 * n[0] - 0.55 * n[1] - 0.74 * n[2]) / length);
      const grey = 40 + 78 * light;
      pieces.push([(at[3 * a + 2] + at[3 * b + 2] + at[3 * c + 2]) / 3, () => {
        context.fillStyle = context.strokeStyle = 'rgb(' + grey + ',' + grey * 1.06 + ',' + grey * 1.22 + ')';
        context.lineWidth = 0.7;
        context.beginPath();
        [a, b, c].forEach((i) => context.lineTo(X(at, i), Y(at, i)));
        context.closePath(); context.fill(); context.stroke();
      }]);
    }
  }
  for (const [a, b] of face.segments) {
    const z = (at[3 * a + 2] + at[3 * b + 2]) / 2;
    pieces.push([z - 0.12 * reach, () => {
      context.globalAlpha = fade(z);
      context.strokeStyle = face.colors[a]; context.lineWidth = 3.4 * fade(z); context.lineCap = 'round';
      context.beginPath(); context.moveTo(X(at, a), Y(at, a)); context.lineTo(X(at, b), Y(at, b)); context.stroke();
    }]);
  }
  face.colors.forEach((color, i) => pieces.push([at[3 * i + 2] - 0.14 * reach, () => {
    context.globalAlpha = fade(at[3 * i + 2]);
    context.fillStyle = color; context.strokeStyle = '#0d0f14'; context.lineWidth = 1;
    context.beginPath(); context.arc(X(at, i), Y(at, i), 5.4 * fade(at[3 * i + 2]), 0, 2 * Math.PI); context.fill(); context.stroke();
  }]));
  if (view.cloud && face.cloud) {
    const cloud = turn(face.cloud.points, center);
    face.cloud.colors.forEach((color, i) => pieces.push([cloud[3 * i + 2], () => {
      context.globalAlpha = 0.55 * fade(cloud[3 * i + 2]);
      context.fillStyle = color;
      context.fillRect(X(cloud, i) - 1.2, Y(cloud, i) - 1.2, 2.4, 2.4);
    }]));
  }
  pieces.sort((p, q) => q[0] - p[0]);
  for (const piece of pieces) { context.globalAlpha = 1; piece[1](); }
  context.globalAlpha = 1;
}

const select = document.getElementById('face');
faces.forEach((face, i) => select.add(new Option(face.name, String(i))));
select.hidden = faces.length < 2;
select.onchange = () => { view.face = Number(select.value); showButtons(); draw(); };
function showButtons() {
  document.getElementById('cloud').hidden = !faces[view.face].cloud;
  document.getElementById('surface').hidden = !faces[view.face].shaded;
}
for (const name of ['cloud', 'surface', 'spin']) {
  document.getElementById(name).onclick = () => { view[name] = !view[name]; if (name === 'spin') step(); draw(); };
}
function step() {
  if (!view.spin) return;
  view.yaw = 55 * Math.sin(performance.now() / 1400); draw(); requestAnimationFrame(step);
}
let held = null;
canvas.onpointerdown = (e) => { held = [e.clientX, e.clientY]; view.spin = false; canvas.setPointerCapture(e.pointerId); };
canvas.onpointermove = (e) => {
  if (!held) return;
  view.yaw += (e.clientX - held[0]) * 0.5;
  view.pitch = Math.max(-90, Math.min(90, view.pitch - (e.clientY - held[1]) * 0.5));
  held = [e.clientX, e.clientY]; draw();
};
canvas.onpointerup = canvas.onpointercancel = () => { held = null; };
canvas.addEventListener('wheel', (e) => {
  e.preventDefault(); view.zoom = Math.max(0.3, Math.min(6, view.zoom * Math.exp(-e.deltaY * 0.001))); draw();
}, { passive: false });
canvas.onkeydown = (e) => {
  const move = { ArrowLeft: [-5, 0], ArrowRight: [5, 0], ArrowUp: [0, 5], ArrowDown: [0, -5] }[e.key];
  if (move) { view.yaw += move[0]; view.pitch += move[1]; e.preventDefault(); draw(); }
};
window.onresize = draw;
showButtons();
draw();
`;
