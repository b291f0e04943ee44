const WORDS = 8;

/** The maximum load of the table. */
const SPARE = 0.5;

/**
 * A set of SHA-256 digests in about forty bytes each. As texts in a Set they take four times as much, and the garbage
 * collector scans them again and again.
 */
export class DigestSet {
  #size = 0;
  #words = new Uint32Array(WORDS * 512);
  /** Indices of digests, hashed by their first word; −1 for an empty place. */
  #places = new Int32Array(1_024).fill(-1);
  readonly #bytes = Buffer.alloc(4 * WORDS);
  /** The digest being looked up. */
  readonly #sought = new Uint32Array(this.#bytes.buffer, this.#bytes.byteOffset, WORDS);

  /** The number of distinct digests. */
  get size(): number {
    return this.#size;
  }

  /**
   * @param digest in hexadecimal
   * @returns its index in order of insertion; the existing index if it was there already
   */
  add(digest: string): number {
    const place = this.#find(digest);
    const found = this.#places[place]!;
    if (found >= 0) return found;
    if ((this.#size + 1) * WORDS > this.#words.length) this.#words = longer(this.#words);
    this.#words.set(this.#sought, this.#size * WORDS);
    this.#places[place] = this.#size;
    this.#size += 1;
    if (this.#size > this.#places.length * SPARE) this.#spread();
    return this.#size - 1;
  }

  /** Its index; −1 if it is not there. */
  indexOf(digest: string): number {
    return this.#places[this.#find(digest)]!;
  }

  at(index: number): string {
    this.#sought.set(this.#words.subarray(index * WORDS, (index + 1) * WORDS));
    return this.#bytes.toString('hex');
  }

  /** The place where it is, or would be. */
  #find(digest: string): number {
    this.#bytes.write(digest, 'hex');
    const last = this.#places.length - 1;
    let place = this.#sought[0]! & last;
    while (this.#places[place]! >= 0 && !this.#isSought(this.#places[place]!)) place = (place + 1) & last;
    return place;
  }

  #isSought(index: number): boolean {
    for (let word = 0; word < WORDS; word += 1) {
      if (this.#words[index * WORDS + word] !== this.#sought[word]) return false;
    }
    return true;
  }

  #spread(): void {
    this.#places = new Int32Array(2 * this.#places.length).fill(-1);
    const last = this.#places.length - 1;
    for (let index = 0; index < this.#size; index += 1) {
      let place = this.#words[index * WORDS]! & last;
      while (this.#places[place]! >= 0) place = (place + 1) & last;
      this.#places[place] = index;
    }
  }
}

function longer(words: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const all = new Uint32Array(2 * words.length);
  all.set(words);
  return all;
}
