import type { Asset } from '@trustnxt/c2pa-ts/asset';

type Chunk = { name: string; start: number; end: number };

const HEADER_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;
/** The RIFF chunk for the manifest store (C2PA 2.2, appendix A.3.4). */
const C2PA = 'C2PA';

/** WebP support for @trustnxt/c2pa-ts, which itself supports PNG, JPEG and AVIF. The manifest store is the file's last chunk. */
export class WebP implements Asset {
  readonly mimeType = 'image/webp';
  #file: Buffer;

  /** @throws Error if the file is not a complete WebP */
  constructor(data: Uint8Array) {
    this.#file = Buffer.from(data);
    if (!WebP.canRead(data) || this.#file.readUInt32LE(4) + 8 !== this.#file.length) {
      throw new Error('expected a complete WebP file, found something else, or a truncated one');
    }
  }

  static canRead(data: Uint8Array): boolean {
    const head = Buffer.from(data.subarray(0, HEADER_BYTES)).toString('latin1');
    return head.startsWith('RIFF') && head.endsWith('WEBP') && head.length === HEADER_BYTES;
  }

  getDataLength(): number {
    return this.#file.length;
  }

  async getDataRange(start = 0, length = this.#file.length - start): Promise<Uint8Array> {
    return new Uint8Array(this.#file.subarray(start, start + length));
  }

  dumpInfo(): string {
    return this.#chunks()
      .map(({ name, start, end }) => `${name}: ${end - start} bytes at ${start}`)
      .join('\n');
  }

  getManifestJUMBF(): Uint8Array | undefined {
    const chunk = this.#manifestChunk();
    return chunk && new Uint8Array(this.#payload(chunk));
  }

  async ensureManifestSpace(length: number): Promise<void> {
    const kept = this.#chunks().filter(({ name }) => name !== C2PA);
    const header = Buffer.alloc(CHUNK_HEADER_BYTES);
    header.write(C2PA, 'latin1');
    header.writeUInt32LE(length, 4);
    this.#file = Buffer.concat([
      this.#file.subarray(0, HEADER_BYTES),
      ...kept.map(({ start, end }) => this.#file.subarray(start, end)),
      header,
      // A chunk of odd length is followed by a padding byte.
      Buffer.alloc(length + (length % 2)),
    ]);
    this.#file.writeUInt32LE(this.#file.length - 8, 4);
  }

  /** Without the padding byte: c2pa-rs expects exactly this range. */
  getHashExclusionRange(): { start: number; length: number } {
    const chunk = this.#ownChunk();
    return { start: chunk.start, length: CHUNK_HEADER_BYTES + this.#payload(chunk).length };
  }

  async writeManifestJUMBF(jumbf: Uint8Array): Promise<void> {
    const room = this.#payload(this.#ownChunk());
    if (room.length !== jumbf.length) throw new Error(`manifest: expected ${room.length} bytes, found ${jumbf.length}`);
    room.set(jumbf);
  }

  #manifestChunk(): Chunk | undefined {
    return this.#chunks().find(({ name }) => name === C2PA);
  }

  #ownChunk(): Chunk {
    const chunk = this.#manifestChunk();
    if (chunk === undefined) throw new Error('manifest: expected room for one, found none');
    return chunk;
  }

  #payload({ start }: Chunk): Buffer {
    const begin = start + CHUNK_HEADER_BYTES;
    return this.#file.subarray(begin, begin + this.#file.readUInt32LE(start + 4));
  }

  /** @throws Error if a chunk is longer than the file */
  #chunks(): Chunk[] {
    const chunks: Chunk[] = [];
    for (let start = HEADER_BYTES; start < this.#file.length; start = chunks.at(-1)!.end) {
      const length = start + CHUNK_HEADER_BYTES <= this.#file.length ? this.#file.readUInt32LE(start + 4) : Infinity;
      const end = start + CHUNK_HEADER_BYTES + length + (length % 2);
      if (!(end <= this.#file.length))
        throw new Error(`WebP: expected a complete chunk at byte ${start}, found a truncated one`);
      chunks.push({ name: this.#file.toString('latin1', start, start + 4), start, end });
    }
    return chunks;
  }
}
