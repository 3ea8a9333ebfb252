// Not fflate, as elsewhere: a TensorFlow wheel holds hundreds of megabytes, of which a few files are streamed to the disk.
import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PassThrough, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';

/** One file inside a zip archive. */
export interface ZipEntry {
  name: string;
  /** 0 stored, 8 deflated. */
  method: number;
  compressedSize: number;
  size: number;
  /** Position of the local header in the archive. */
  offset: number;
}

const END_SIGNATURE = 0x06054b50;
const ENTRY_SIGNATURE = 0x02014b50;
const LOCAL_SIGNATURE = 0x04034b50;
const END_SIZE = 22;
const LOCAL_HEADER_SIZE = 30;

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/**
 * Lists the files of a zip archive (a wheel is one) from its central directory.
 *
 * @param path The archive.
 * @throws Error when the file is not a complete zip archive, or needs the 64-bit extension (4 GiB and more).
 */
export async function listZip(path: string): Promise<ZipEntry[]> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const tailStart = Math.max(0, size - END_SIZE - 0xffff);
    const tail = await readAt(file, tailStart, size - tailStart);
    let end = tail.length - END_SIZE;
    while (end >= 0 && tail.readUInt32LE(end) !== END_SIGNATURE) end--;
    if (end < 0) {
      throw new Error(
        `listZip: the file must be a complete zip archive, got ${path} of ${size} bytes (download it again)`,
      );
    }
    const count = tail.readUInt16LE(end + 10);
    const directorySize = tail.readUInt32LE(end + 12);
    const directoryOffset = tail.readUInt32LE(end + 16);
    if (count === 0xffff || directoryOffset === 0xffffffff) {
      throw new Error(
        `listZip: archives over 4 GiB or 65534 files are not read, got ${path} (extract it by hand)`,
      );
    }
    if (directoryOffset + directorySize > size) {
      throw new Error(
        `listZip: the archive's directory must lie within its ${size} bytes, got ${directorySize} at ${directoryOffset} in ${path} (download it again)`,
      );
    }
    return parseDirectory(await readAt(file, directoryOffset, directorySize), count, path);
  } finally {
    await file.close();
  }
}

function parseDirectory(directory: Buffer, count: number, path: string): ZipEntry[] {
  const entries: ZipEntry[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > directory.length || directory.readUInt32LE(at) !== ENTRY_SIGNATURE) {
      throw new Error(
        `listZip: the archive's directory must hold ${count} files, got ${i} in ${path} (download it again)`,
      );
    }
    const nameLength = directory.readUInt16LE(at + 28);
    const extraLength = directory.readUInt16LE(at + 30);
    const commentLength = directory.readUInt16LE(at + 32);
    const name = directory.toString('utf8', at + 46, at + 46 + nameLength);
    if (/^[/\\]|^[a-z]:|\0/i.test(name) || name.split(/[/\\]/).includes('..')) {
      throw new Error(
        `listZip: names must stay inside the folder, got ${JSON.stringify(name)} in ${path} (do not use this file)`,
      );
    }
    entries.push({
      name,
      method: directory.readUInt16LE(at + 10),
      compressedSize: directory.readUInt32LE(at + 20),
      size: directory.readUInt32LE(at + 24),
      offset: directory.readUInt32LE(at + 42),
    });
    at += 46 + nameLength + extraLength + commentLength;
  }
  return entries;
}

/**
 * Streams one file of an archive to disk; missing folders are made.
 *
 * @param archive The archive.
 * @param entry One of `listZip(archive)`.
 * @param target Path of the file to write.
 * @throws Error when the data are damaged or packed with a method other than stored or deflated.
 */
export async function extractZipEntry(archive: string, entry: ZipEntry, target: string): Promise<void> {
  if (entry.method !== 0 && entry.method !== 8) {
    throw new Error(
      `extractZipEntry: ${entry.name} must be stored or deflated, got method ${entry.method} (extract ${archive} by hand)`,
    );
  }
  const file = await open(archive, 'r');
  let header: Buffer;
  try {
    header = await readAt(file, entry.offset, LOCAL_HEADER_SIZE);
  } finally {
    await file.close();
  }
  if (header.length < LOCAL_HEADER_SIZE || header.readUInt32LE(0) !== LOCAL_SIGNATURE) {
    throw new Error(
      `extractZipEntry: ${entry.name} must lie at byte ${entry.offset}, got other bytes (download ${archive} again)`,
    );
  }
  const start = entry.offset + LOCAL_HEADER_SIZE + header.readUInt16LE(26) + header.readUInt16LE(28);
  await mkdir(dirname(target), { recursive: true });
  const output = createWriteStream(target);
  if (entry.compressedSize === 0) {
    output.end();
    await new Promise<void>((resolve, reject) => output.on('close', resolve).on('error', reject));
    return;
  }
  const unpack = entry.method === 8 ? createInflateRaw() : new PassThrough();
  const packed = createReadStream(archive, { start, end: start + entry.compressedSize - 1 });
  await pipeline(packed, unpack, limitBytes(entry, archive), output);
  if (output.bytesWritten !== entry.size) {
    throw new Error(
      `extractZipEntry: ${entry.name} must have ${entry.size} bytes, got ${output.bytesWritten} (download ${archive} again)`,
    );
  }
}

/** Stops data that unpack to more than the directory says. */
function limitBytes({ name, size }: ZipEntry, archive: string): Transform {
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      seen += chunk.length;
      if (seen <= size) done(null, chunk);
      else
        done(
          new Error(`extractZipEntry: ${name} must have ${size} bytes, got more (download ${archive} again)`),
        );
    },
  });
}
