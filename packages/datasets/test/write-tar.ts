/** A ustar archive of files, which may be damaged on purpose: `size` is what the headers say instead of the files' own. */
export function writeTar(
  files: readonly (readonly [name: string, content: Uint8Array])[],
  size?: number,
): Buffer {
  const blocks: Buffer[] = [];
  for (const [name, content] of files) {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write('0000644\0', 100);
    header.write(`${octal(size ?? content.length, 11)} `, 124);
    if ((size ?? 0) >= 8 ** 11) writeLarge(header, size!);
    header.write('00000000000\0', 136);
    header.write('        ', 148);
    header.write('0', 156);
    header.write('ustar\x0000', 257, 'latin1');
    header.write(
      `${octal(
        header.reduce((sum, byte) => sum + byte, 0),
        6,
      )}\0 `,
      148,
    );
    blocks.push(header, Buffer.from(content), Buffer.alloc((512 - (content.length % 512)) % 512));
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

const octal = (value: number, digits: number): string =>
  value.toString(8).padStart(digits, '0').slice(-digits);

/** Of 256, as GNU tar writes what octal digits cannot hold. */
function writeLarge(header: Buffer, value: number): void {
  header.fill(0, 124, 136);
  header[124] = 0x80;
  header.writeUInt32BE(Math.floor(value / 2 ** 32), 128);
  header.writeUInt32BE(value % 2 ** 32, 132);
}
