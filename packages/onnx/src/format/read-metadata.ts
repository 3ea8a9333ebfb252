import protobuf from 'protobufjs/minimal.js';

/**
 * The metadata of an ONNX file, whoever wrote it; the graph is skipped, not parsed.
 * @throws RangeError when the bytes are no ONNX model.
 */
export function readMetadata(file: Uint8Array): Record<string, string> {
  const metadata: Record<string, string> = {};
  let hasGraph = false;
  try {
    const reader = protobuf.Reader.create(file);
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      if (tag >>> 3 === 14) {
        const [key, value] = readEntry(reader, reader.uint32() + reader.pos);
        metadata[key] = value;
        continue;
      }
      if (tag >>> 3 === 7) hasGraph = true;
      reader.skipType(tag & 7);
    }
  } catch (cause) {
    throw new RangeError('readMetadata: expected an ONNX model, got bytes that are none or cut off', {
      cause,
    });
  }
  if (!hasGraph) throw new RangeError('readMetadata: expected an ONNX model, got bytes without a graph');
  return metadata;
}

function readEntry(reader: protobuf.Reader, end: number): [key: string, value: string] {
  const entry: [string, string] = ['', ''];
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) entry[0] = reader.string();
    else if (tag >>> 3 === 2) entry[1] = reader.string();
    else reader.skipType(tag & 7);
  }
  return entry;
}
