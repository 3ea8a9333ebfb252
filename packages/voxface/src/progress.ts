/** Counts work on stderr: one rewritten line on a terminal, a plain line every few seconds elsewhere. */
export interface Progress {
  /** Says that `done` of `total` units are finished. */
  update(done: number): void;
  /** Ends the line. */
  finish(): void;
}

const PLAIN_INTERVAL_MS = 5000;
const TERMINAL_INTERVAL_MS = 100;

/** @param label what is counted, such as `photos`. */
export function createProgress(
  label: string,
  total: number,
  stream: NodeJS.WriteStream = process.stderr,
): Progress {
  const start = performance.now();
  const interval = stream.isTTY ? TERMINAL_INTERVAL_MS : PLAIN_INTERVAL_MS;
  let last = start;
  let written = false;
  const line = (done: number): string => {
    const seconds = (performance.now() - start) / 1000;
    const rate = done / Math.max(seconds, 1e-3);
    const left = done > 0 ? (total - done) / rate : Number.NaN;
    return `${label} ${done}/${total}  ${rate.toFixed(1)}/s  ${Number.isFinite(left) ? `${formatDuration(left)} left` : ''}`;
  };
  return {
    update(done): void {
      const now = performance.now();
      if (now - last < interval) return;
      last = now;
      written = true;
      stream.write(stream.isTTY ? `\r\x1b[K${line(done)}` : `${line(done)}\n`);
    },
    finish(): void {
      if (written && stream.isTTY) stream.write('\r\x1b[K');
    },
  };
}

/** Seconds as `1 h 02 min`, `3 min 05 s` or `7 s`. */
export function formatDuration(seconds: number): string {
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, '0')} s`;
  return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, '0')} min`;
}

/** A progress line that starts when the total is known. */
export function lazyProgress(label: string): {
  onProgress: (done: number, total: number) => void;
  finish: () => void;
} {
  let progress: Progress | undefined;
  return {
    onProgress: (done, total) => {
      progress ??= createProgress(label, total);
      progress.update(done);
    },
    finish: () => progress?.finish(),
  };
}
