const WORDS = 8;

/** Empty places in a hundred, at least. */
const SPARE = 0.5;

/**
 * Many SHA-256, in some forty bytes each; as texts in a Set they take four times as much, which the garbage collector goes through again and
 * again.
 */
export class DigestSet {
  #size = 0;
  #words = new Uint32Array(WORDS * 512);
  /** Indices into the words, found by the first word of a digest; −1 where there is none. */
  #places = new Int32Array(1_024).fill(-1);
  readonly #bytes = Buffer.alloc(4 * WORDS);
  /** The one that is looked for. */
  readonly #sought = new Uint32Array(this.#bytes.buffer, this.#bytes.byteOffset, WORDS);

  /** How many different ones there are. */
  get size(): number {
    return this.#size;
  }

  /**
   * @param digest in hexadecimal
   * @returns its number, in the order in which they came; that of before where it was there
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

  /** Its number; −1 where it is not there. */
  indexOf(digest: string): number {
    return this.#places[this.#find(digest)]!;
  }

  at(index: number): string {
    this.#sought.set(this.#words.subarray(index * WORDS, (index + 1) * WORDS));
    return this.#bytes.toString('hex');
  }

  /** Where it is, or would be. */
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
