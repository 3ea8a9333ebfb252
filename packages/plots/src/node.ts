export { overlayPng } from './overlay-png.ts';
export { photoHref } from './photo-href.ts';
export { type RenderPngOptions, renderPng } from './render-png.ts';
