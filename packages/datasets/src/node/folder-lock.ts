import { rmSync } from 'node:fs';
import { mkdir, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';

/** The file that says who writes into a folder. */
export const LOCK_FILE = 'voxface.lock';

/** Ends a lock; may be called twice. */
export type Unlock = () => Promise<void>;

interface Owner {
  readonly pid: number;
  readonly host: string;
  readonly work: string;
  readonly since: string;
}

const held = new Set<string>();
let listening = false;
/** A holder touches its lock this often, milliseconds. */
const TOUCH_MS = 15_000;
/** A lock of another machine that was not touched for so long is left behind, milliseconds. */
const LEFT_BEHIND_MS = 120_000;

/**
 * Takes a folder for one writer, creating it if missing: two processes that write into one folder damage both results.
 * The lock ends with `unlock`, or with the process. One left behind is replaced: by a killed process of this machine at
 * once, by another machine (a node that was lost, a pod that was evicted) when its holder has not touched it for two minutes.
 * @param work what is being written, for the message that others get.
 * @param name of the lock's file, where a folder holds several things that are written.
 * @throws Error when another process, or another call of this one, holds the folder.
 */
export async function lockFolder(dir: string, work: string, name: string = LOCK_FILE): Promise<Unlock> {
  const file = path.resolve(dir, name);
  await mkdir(dir, { recursive: true });
  const own: Owner = { pid: process.pid, host: hostname(), work, since: new Date().toISOString() };
  for (let attempt = 0; attempt < 40; attempt++) {
    try {
      const handle = await open(file, 'wx');
      await handle.writeFile(textOf(own));
      await handle.close();
      held.add(file);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      await replaceStale(dir, file, attempt);
    }
  }
  if (!listening) process.on('exit', releaseAll);
  listening = true;
  if (!held.has(file)) throw new Error(`lockFolder: the lock ${file} could not be taken (delete it)`);
  const touching = setInterval(() => touch(file).catch(() => {}), TOUCH_MS).unref();
  return async () => {
    clearInterval(touching);
    if (held.delete(file) && (await readLock(file)) === textOf(own)) await rm(file, { force: true });
  };
}

const textOf = (owner: Owner): string => `${JSON.stringify(owner)}\n`;

/** Writes the first byte again: the file server says when, not this machine's clock. */
async function touch(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await handle.write('{', 0);
  } finally {
    await handle.close();
  }
}

/** Removes a lock whose process is gone. Several may try: one at a time looks again and removes. */
async function replaceStale(dir: string, file: string, attempt: number): Promise<void> {
  const wait = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));
  const text = await readLock(file);
  if (text === '' && attempt < 5) return wait();
  const owner = parseOwner(text);
  if (!(await isGone(owner, dir, file))) {
    const who = owner.pid ? `process ${owner.pid} on ${owner.host} since ${owner.since}` : 'another process';
    throw new Error(
      `lockFolder: one writer per folder, got ${dir}, into which ${who} writes ${owner.work ?? 'something'} (choose another folder, or delete ${file} if that process is gone)`,
    );
  }
  const turn = `${file}.stale`;
  const handle = await open(turn, 'wx').catch(() => undefined);
  if (!handle) {
    const since = await stat(turn).catch(() => undefined);
    if (since && Date.now() - since.mtimeMs > 10_000) await rm(turn, { force: true });
    return wait();
  }
  await handle.close();
  if ((await readLock(file)) === text) await rm(file, { force: true });
  await rm(turn, { force: true });
}

const readLock = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '');

function parseOwner(text: string): Partial<Owner> {
  try {
    return JSON.parse(text) as Owner;
  } catch {
    return {};
  }
}

async function isGone({ host, pid }: Partial<Owner>, dir: string, file: string): Promise<boolean> {
  if (!pid) return false;
  if (host !== hostname()) return isLeftBehind(dir, file);
  return pid === process.pid ? !held.has(file) : !isAlive(pid);
}

/** Compares with the time of a file written now: clocks of a machine and of a file server differ. */
async function isLeftBehind(dir: string, file: string): Promise<boolean> {
  const probe = path.join(dir, `.${path.basename(file)}.${process.pid}`);
  try {
    await (await open(probe, 'w')).close();
    return (await stat(probe)).mtimeMs - (await stat(file)).mtimeMs > LEFT_BEHIND_MS;
  } catch {
    return false;
  } finally {
    await rm(probe, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function releaseAll(): void {
  for (const file of held) rmSync(file, { force: true });
}

/**
 * Lets a folder be continued only with the settings with which its work was begun; they are kept in `settings.json`, and
 * the folder is created if missing.
 * @throws Error when it was begun with other settings, or when those cannot be read.
 */
export async function keepSettings(folder: string, settings: object): Promise<void> {
  const file = path.join(folder, 'settings.json');
  const own = JSON.stringify(settings);
  const begun = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (begun !== undefined && begun.trim() !== own) {
    throw new Error(
      `keepSettings: ${folder} was begun with ${begun.trim()}, got ${own} (the same settings, or another folder)`,
    );
  }
  await mkdir(folder, { recursive: true });
  if (begun === undefined) await writeFile(file, `${own}\n`);
}
