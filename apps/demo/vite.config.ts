import { defineConfig } from 'vite';

export default defineConfig({
  // Relative addresses: the folder works below any path, GitHub Pages' included.
  base: './',
  optimizeDeps: { exclude: ['voxface'] },
  build: { target: 'es2022', chunkSizeWarningLimit: 1000 },
});
