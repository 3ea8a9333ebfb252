import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { boxOf, type Pixels } from '@voxface/landmarks';
import { createFaceTracker, type TrackedFace } from '@voxface/predict';
import { WorkError } from '../options.ts';
import { openDetector, openModel } from '../photos/open-model.ts';
import { createProgress } from '../progress.ts';
import { detectionOf, type LocalizeOptions } from './localize.ts';
import { faceToJson } from './write-faces.ts';

/** Most faces that are followed at once. */
const MAX_FACES = 20;

/**
 * Follows the faces of a video and writes `OUT/<stem>.jsonl`, a line of JSON per frame: `{ frame, time, faces, lost }`, time in seconds,
 * faces with the `id` that they keep, smoothed over time; `lost` has the ids that this frame is the first without. `-` prints the lines.
 * With `overlay` also `OUT/<stem>-overlay.mp4`, points faded by their confidence, with the sound of the video.
 * A file has its name only when it is complete: with `resume` such a video is passed over.
 * @returns the files written.
 * @throws WorkError when ffmpeg is not installed or cannot read the file.
 */
export async function localizeVideo(file: string, options: LocalizeOptions): Promise<string[]> {
  if (!existsSync(file)) throw new WorkError(`localize: no such file: ${file}`);
  const { out, overlay, resume } = options;
  const stem = join(out, basename(file, extname(file)));
  if (resume && out !== '-' && existsSync(`${stem}.jsonl`)) {
    console.log(`${file} is done already`);
    return [];
  }
  const { width, height, rate, frames: count } = await probe(file);
  const { detector: name, detectorOptions } = detectionOf({ ...options, box: undefined });
  const { model, backend, flip, crops } = options;
  const { predictor } = await openModel(model, { backend, flip, crops });
  const detector = await openDetector(name || 'ssd', detectorOptions ?? {});
  let lost: number[] = [];
  const tracker = createFaceTracker(predictor, detector, {
    maxFaces: MAX_FACES,
    onLost: (id) => lost.push(id),
  });
  if (out !== '-') await mkdir(out, { recursive: true });
  const lines = out === '-' ? process.stdout : createWriteStream(`${stem}.jsonl.part`);
  const drawn =
    overlay && out !== '-' ? startEncoder(file, `${stem}-overlay.mp4`, width, height, rate) : null;
  const reader = startTool('ffmpeg', [
    ...['-v', 'error', '-i', file, '-map', '0:v:0', '-vf', `fps=${rate}`],
    ...['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'],
  ]);
  const progress = createProgress('frames', count);
  let frame = 0;
  try {
    for await (const data of readFrames(reader.process.stdout!, width * height * 3)) {
      const image: Pixels = { data, width, height, channels: 3 };
      lost = [];
      const faces = await tracker.track(image, frame / rate);
      const line = {
        frame,
        time: Math.round((1e6 * frame) / rate) / 1e6,
        faces: faces.map((face) => ({ id: face.id, ...faceToJson({ ...face, box: boxOf(face.landmarks) }) })),
        ...(lost.length > 0 && { lost }),
      };
      await write(lines, `${JSON.stringify(line)}\n`);
      if (drawn) {
        for (const face of faces) drawPoints(image, face);
        await write(drawn.process.stdin!, data);
      }
      progress.update(++frame);
    }
    await reader.ended;
    if (drawn) {
      drawn.process.stdin!.end();
      await drawn.ended;
    }
  } finally {
    reader.process.kill();
    drawn?.process.kill();
    predictor.dispose();
    detector.dispose();
    if (lines !== process.stdout) {
      lines.end();
      await once(lines, 'close');
    }
  }
  progress.finish();
  if (frame === 0) throw new WorkError(`localize: ffmpeg found no frames in ${file}`);
  if (out !== '-') await rename(`${stem}.jsonl.part`, `${stem}.jsonl`);
  const say = out === '-' ? console.error : console.log;
  say(`${file}: ${frame} frames of ${width} x ${height}, ${Math.round(1000 * rate) / 1000} a second`);
  return out === '-' ? [] : [`${stem}.jsonl`, ...(drawn ? [`${stem}-overlay.mp4`] : [])];
}

interface VideoInfo {
  /** Of a frame as it is shown. */
  readonly width: number;
  readonly height: number;
  /** Frames a second. */
  readonly rate: number;
  /** As far as the file tells, else 0. */
  readonly frames: number;
}

async function probe(file: string): Promise<VideoInfo> {
  const entries = 'stream=width,height,avg_frame_rate,r_frame_rate,nb_frames:stream_side_data=rotation';
  const tool = startTool('ffprobe', [
    ...['-v', 'error', '-select_streams', 'v:0', '-show_entries', entries],
    ...['-of', 'json', file],
  ]);
  let text = '';
  const read = async (): Promise<void> => {
    for await (const part of tool.process.stdout!) text += part;
  };
  try {
    await Promise.all([read(), tool.ended]);
  } catch (error) {
    if (error instanceof MissingTool) throw error;
    throw new WorkError(`localize: ${file} is no video that ffmpeg reads (${(error as Error).message})`);
  }
  const [stream] = JSON.parse(text).streams ?? [];
  if (!stream) throw new WorkError(`localize: ${file} has no pictures that ffmpeg reads`);
  const ratio = (value: string): number => Number(value.split('/')[0]) / Number(value.split('/')[1] ?? 1);
  const rate = [ratio(stream.avg_frame_rate), ratio(stream.r_frame_rate), 25].find((value) => value > 0)!;
  const turns = (stream.side_data_list ?? []).map(({ rotation = 0 }) => Math.abs(rotation));
  const onSide = turns.some((turn: number) => turn === 90 || turn === 270);
  const [width, height] = onSide ? [stream.height, stream.width] : [stream.width, stream.height];
  return { width, height, rate, frames: Number(stream.nb_frames) || 0 };
}

class MissingTool extends WorkError {}

interface Tool {
  readonly process: ChildProcess;
  /** Rejects with what the program said where it failed. */
  readonly ended: Promise<void>;
}

function startTool(name: 'ffmpeg' | 'ffprobe', args: readonly string[], feeds = false): Tool {
  const child = spawn(name, args, { stdio: [feeds ? 'pipe' : 'ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr!.on('data', (text) => {
    said = `${said}${text}`.slice(-2000);
  });
  // A program that ends early is told of by its exit code.
  child.stdin?.on('error', () => {});
  const ended = new Promise<void>((resolve, reject) => {
    child.on('error', (cause) => {
      const missing = `localize: videos need ${name}, which was not found (install ffmpeg: apt-get install ffmpeg, brew install ffmpeg)`;
      const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
      reject(isMissing ? new MissingTool(missing) : new WorkError(cause.message));
    });
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new WorkError(said.trim().split('\n').at(-1) || `${name} ended with ${code}`));
    });
  });
  ended.catch(() => {});
  return { process: child, ended };
}

function startEncoder(sound: string, file: string, width: number, height: number, rate: number): Tool {
  return startTool(
    'ffmpeg',
    [
      ...['-v', 'error', '-y', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', `${width}x${height}`],
      ...['-r', String(rate), '-i', '-', '-i', sound, '-map', '0:v', '-map', '1:a?', '-shortest'],
      ...['-vf', 'pad=ceil(iw/2)*2:ceil(ih/2)*2', '-pix_fmt', 'yuv420p', file],
    ],
    true,
  );
}

/** Cuts a stream into frames of `size` bytes; an unfinished last one is dropped. */
async function* readFrames(stream: Readable, size: number): AsyncGenerator<Uint8Array> {
  let frame = new Uint8Array(size);
  let filled = 0;
  for await (const part of stream as AsyncIterable<Uint8Array>) {
    for (let at = 0; at < part.length; ) {
      const taken = Math.min(part.length - at, size - filled);
      frame.set(part.subarray(at, at + taken), filled);
      filled += taken;
      at += taken;
      if (filled < size) continue;
      yield frame;
      frame = new Uint8Array(size);
      filled = 0;
    }
  }
}

async function write(stream: Writable, data: string | Uint8Array): Promise<void> {
  if (!stream.write(data) && stream.writable) {
    await Promise.race([once(stream, 'drain'), once(stream, 'close')]);
  }
}

/** Green points of a hundredth of the face, as opaque as they are certain. */
function drawPoints({ data, width, height }: Pixels, { landmarks, landmarkConfidence }: TrackedFace): void {
  const box = boxOf(landmarks);
  const radius = Math.max(1, Math.max(box.width, box.height) / 80);
  const bytes = data as Uint8Array;
  for (let i = 0; i < landmarks.points.length / 3; i++) {
    const [x, y] = landmarks.points.subarray(3 * i, 3 * i + 2);
    const opacity = 0.2 + 0.8 * (landmarkConfidence?.[i] ?? 1);
    for (let v = Math.max(0, Math.ceil(y - radius)); v <= Math.min(height - 1, y + radius); v++) {
      for (let u = Math.max(0, Math.ceil(x - radius)); u <= Math.min(width - 1, x + radius); u++) {
        if (Math.hypot(u - x, v - y) > radius) continue;
        const at = 3 * (v * width + u);
        for (const [c, value] of [40, 255, 90].entries()) {
          bytes[at + c] += opacity * (value - bytes[at + c]);
        }
      }
    }
  }
}
