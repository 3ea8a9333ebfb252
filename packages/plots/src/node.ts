export { overlayPng, photoHref, type RenderPngOptions, renderPng } from './render-png.ts';
