import { IBUG_68, type LandmarkScheme, type Landmarks } from '@voxface/landmarks';
import { checkLandmarks } from './check-landmarks.ts';
import { landmarkColor, toHex } from './color.ts';
import { connectParts, schemeFor } from './parts.ts';
import type { PointCloud } from './sample-cloud.ts';
import { escapeXml } from './svg.ts';
import { VIEW3D_SCRIPT } from './view3d-script.ts';

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
  title?: string;
}

export const VIEW3D_PAGE_DEFAULTS: { title: string } = { title: 'voxface: 3D view' };

/**
 * A self-contained HTML page with a 3D view that turns under mouse, finger or arrow keys. No outside file is loaded.
 * @throws RangeError when there is no face, or a face has no finite 3D landmarks.
 */
export function view3dPage(faces: readonly PageFace[], options: View3dPageOptions = {}): string {
  const { title, scheme } = { ...VIEW3D_PAGE_DEFAULTS, ...options };
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
  const count = checkLandmarks('view3dPage', shape);
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
