export type { CloudOptions, PointCloud, VolumeShape } from '@voxface/volume';
export {
  CED_DEFAULTS,
  type CedCurve,
  type CedOptions,
  type CurvePanel,
  cedSvg,
  curvePanelsSvg,
  parseTrainingLog,
  TRAINING_CURVES_DEFAULTS,
  TRAINING_PANELS,
  type TrainingCurvesOptions,
  type TrainingPanel,
  type TrainingRecord,
  trainingCurvesSvg,
} from './charts.ts';
export {
  CONTACT_SHEET_DEFAULTS,
  type ContactSheetCell,
  type ContactSheetOptions,
  contactSheet,
} from './contact-sheet.ts';
export {
  OVERLAY_DEFAULTS,
  type OverlayFace,
  type OverlayImage,
  type OverlayOptions,
  overlaySvg,
} from './overlay.ts';
export { connectParts, type Segment } from './parts.ts';
export { landmarkColor, THEMES, type Theme, type ThemeName } from './svg.ts';
export {
  type NamedView,
  SHEET_VIEWS,
  VIEW_DEFAULTS,
  VIEW3D_DEFAULTS,
  type View3dOptions,
  type ViewAngles,
  view3dSheetSvg,
  view3dSvg,
} from './view3d.ts';
export { type PageFace, VIEW3D_PAGE_DEFAULTS, type View3dPageOptions, view3dPage } from './view3d-page.ts';
export { VOLUME_CLOUD_DEFAULTS, type VolumeCloudOptions, volumeCloudSvg } from './volume-cloud-svg.ts';
