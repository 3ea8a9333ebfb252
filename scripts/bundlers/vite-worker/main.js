const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
worker.onmessage = ({ data }) => {
  globalThis.faces = data;
};
worker.onerror = ({ message }) => {
  throw new Error(`worker: ${message}`);
};
worker.postMessage(new URL('photo.jpg', document.baseURI).href);
