import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from './run.ts';

const root = mkdtempSync(join(tmpdir(), 'voxface-video-'));
const clip = join(root, 'clip.mp4');
const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0;
const samples = join(
  dirname(createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json')),
  'demo',
);

beforeAll(() => {
  // A face of the first sample photo that moves 3 pixels to the left a frame, then black.
  if (hasFfmpeg) {
    const made = spawnSync('ffmpeg', [
      ...['-v', 'error', '-y', '-loop', '1', '-t', '1', '-r', '10', '-i', join(samples, 'sample1.jpg')],
      ...['-vf', "crop=380:380:1380+6*n:130,scale=190:190,drawbox=t=fill:c=black:enable='gte(n,8)'", clip],
    ]);
    expect(`${made.stderr}`).toBe('');
  }
});
afterAll(() => rmSync(root, { recursive: true }));

describe.skipIf(!hasFfmpeg)('localize of a video', () => {
  it('follows the face, frame by frame, says when it is lost, and draws it', async () => {
    const out = join(root, 'found');
    const { code, errors } = await run('localize', clip, '--out', out, '--overlay', '--detector', 'tiny');
    expect(errors).not.toMatch(/voxface:/);
    expect(code).toBe(0);
    const lines = readFileSync(join(out, 'clip.jsonl'), 'utf8').trim().split('\n');
    const frames = lines.map((line) => JSON.parse(line));
    expect(frames.map(({ frame }) => frame)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(frames[7].time).toBeCloseTo(0.7, 5);
    for (const { faces } of frames.slice(0, 8)) {
      expect(faces).toHaveLength(1);
      expect(faces[0]).toMatchObject({ id: 1 });
      expect(faces[0].landmarks).toHaveLength(68);
      expect(faces[0].confidence).toBeGreaterThan(0.5);
    }
    const nose = (frame: number): number => frames[frame].faces[0].landmarks[30][0];
    // The first frame has only the detector's box; from the third on the face's own landmarks frame it.
    expect(nose(2) - nose(7)).toBeGreaterThan(12);
    expect(nose(2) - nose(7)).toBeLessThan(18);
    expect(frames[8]).toMatchObject({ faces: [], lost: [1] });
    expect(frames[9].faces).toEqual([]);
    const drawn = spawnSync('ffprobe', [
      '-v',
      'error',
      '-count_frames',
      '-show_streams',
      join(out, 'clip-overlay.mp4'),
    ]);
    expect(`${drawn.stdout}`).toMatch(/nb_read_frames=10/);

    // A bad video does not keep the next one from being looked at, and what is there is not done again.
    const text = join(root, 'text.mp4');
    writeFileSync(text, 'this is no video\n');
    const again = await run('localize', text, clip, '--out', out, '--resume');
    expect(again.code).toBe(1);
    expect(again.errors).toMatch(/text\.mp4 is no video that ffmpeg reads/);
    expect(again.output).toMatch(/clip\.mp4 is done already/);
    expect(readdirSync(out).sort()).toEqual(['clip-overlay.mp4', 'clip.jsonl']);
  });

  it('names a file that is no video, and what cannot be combined', async () => {
    const text = join(root, 'text.mp4');
    writeFileSync(text, 'this is no video\n');
    const bad = await run('localize', text, '--out', join(root, 'bad'));
    expect(bad).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/text\.mp4 is no video that ffmpeg reads/),
    });
    const boxed = await run('localize', clip, '--out', join(root, 'boxed'), '--box', '1,2,3,4');
    expect(boxed).toMatchObject({
      code: 2,
      errors: expect.stringMatching(/videos: expected a folder .* no --box/),
    });
    const twice = await run('localize', clip, join(root, 'other/clip.mov'), '--out', join(root, 'twice'));
    expect(twice).toMatchObject({
      code: 2,
      errors: expect.stringMatching(/expected different names, got .*clip\.mp4 and .*clip\.mov/),
    });
  });
});

it('says what videos need where ffmpeg is not installed', async () => {
  writeFileSync(join(root, 'any.mp4'), '');
  const { PATH } = process.env;
  process.env.PATH = '/nowhere';
  try {
    const { code, errors } = await run('localize', join(root, 'any.mp4'), '--out', join(root, 'none'));
    expect(code).toBe(1);
    expect(errors).toMatch(/^voxface: localize: videos need ffprobe, which was not found \(install ffmpeg/m);
    expect(existsSync(join(root, 'none'))).toBe(false);
  } finally {
    process.env.PATH = PATH;
  }
});
