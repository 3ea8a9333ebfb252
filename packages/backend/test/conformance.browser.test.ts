import { describe, expect, it } from 'vitest';
import { runConformance, summarizeConformance } from '../src/conformance.ts';
import { setupBackend } from '../src/index.ts';

/** Where vite serves the backend's binaries from in the workspace; the built package brings its own. */
const WASM_FOLDER = '/packages/backend/node_modules/@tensorflow/tfjs-backend-wasm/wasm-out/';
/** WebGL and WebGPU run emulated on the CPU where there is no GPU. */
const TIMEOUT = 1_200_000;

describe("setupBackend('auto') in the browser", () => {
  it('takes wasm where the GPU is emulated on the CPU, and says so', async () => {
    const { name, tried } = await setupBackend('auto', { wasmPaths: WASM_FOLDER });
    // On a machine with a GPU one of the others comes first, with nothing to say against it.
    const passedOver = { webgpu: [], webgl: ['webgpu'], wasm: ['webgpu', 'webgl'] }[name];
    expect(tried.map((entry) => entry.name)).toEqual(passedOver);
    for (const { problem } of tried)
      expect(problem).toMatch(/^WebG(L|PU) is emulated on the CPU \(.*swiftshader/i);
  });
});

describe('conformance in the browser', () => {
  for (const backend of ['wasm', 'webgl', 'webgpu'] as const) {
    it(
      `of ${backend}`,
      async () => {
        await setupBackend('cpu');
        const info = await setupBackend(backend, { wasmPaths: WASM_FOLDER });
        expect(info.name).toBe(backend);
        const report = await runConformance({ backend });
        expect(report.passed, summarizeConformance(report)).toBe(true);
        expect(report.checks).toBeGreaterThan(400);
      },
      TIMEOUT,
    );
  }
});
