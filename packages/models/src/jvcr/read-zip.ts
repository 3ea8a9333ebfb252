/**
 * Reads the files of a zip archive that are stored or deflated (what PyTorch writes).
 * @returns contents by path.
 * @throws Error when the archive is cut off, encrypted or of 4 GB and more.
 */
export async function readZip(bytes: Uint8Array): Promise<Map<string, Uint8Array>> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = findEnd(view);
  const count = view.getUint16(end + 10, true);
  const files = new Map<string, Uint8Array>();
  let at = view.getUint32(end + 16, true);
  if (at === 0xffffffff || count === 0xffff)
    throw new Error('readZip: archives of 4 GB and more are not read');
  for (let i = 0; i < count; i++) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== 0x02014b50) {
      throw new Error(`readZip: no directory entry at byte ${at} (is the file cut off?)`);
    }
    const method = view.getUint16(at + 10, true);
    const size = view.getUint32(at + 20, true);
    const nameLength = view.getUint16(at + 28, true);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const header = view.getUint32(at + 42, true);
    if (header + 30 > bytes.length)
      throw new Error(`readZip: ${name} lies outside the file (is it cut off?)`);
    const data = header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true);
    if (data + size > bytes.length)
      throw new Error(`readZip: ${name} lies outside the file (is it cut off?)`);
    files.set(name, await unpack(bytes.subarray(data, data + size), method, name));
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return files;
}

/** Position of the end-of-directory record, which a comment of up to 64 kB may follow. */
function findEnd(view: DataView): number {
  const first = Math.max(0, view.byteLength - 22 - 0xffff);
  for (let at = view.byteLength - 22; at >= first; at--) {
    if (view.getUint32(at, true) === 0x06054b50) return at;
  }
  throw new Error('readZip: no end of directory (is the file cut off?)');
}

async function unpack(data: Uint8Array, method: number, name: string): Promise<Uint8Array> {
  if (method === 0) return data;
  if (method !== 8) throw new Error(`readZip: ${name} must be stored or deflated, got method ${method}`);
  const stream = new Blob([data as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
