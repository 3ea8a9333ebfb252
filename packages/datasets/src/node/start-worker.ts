import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Starts a worker thread whose file lies beside the calling module, both in the built package (`.js`) and in the
 * repository's sources (`.ts`, run through tsx, packages resolved to each other's sources).
 * @param name file name without extension.
 * @param caller `import.meta.url` of the calling module.
 */
export function startWorker(name: string, caller: string, options: WorkerOptions = {}): Worker {
  const fromSource = new URL(caller).pathname.endsWith('.ts');
  if (!fromSource) return new Worker(new URL(`./${name}.js`, caller), options);
  const loader = pathToFileURL(createRequire(caller).resolve('tsx/esm/api').replace(/cjs$/, 'mjs')).href;
  const file = new URL(`./${name}.ts`, caller).href;
  const code = `import(${JSON.stringify(loader)}).then(({ register }) => { register(); return import(${JSON.stringify(file)}); })`;
  return new Worker(code, { ...options, eval: true, execArgv: ['--conditions=voxface-source'] });
}
