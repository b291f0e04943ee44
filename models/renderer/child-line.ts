/** What an image needs of a child. */
export type Need = {
  /** Images of the same bin can share calls, so a child gets more of those that it has. */
  bin: string;
  /** How many of a child's places it takes: how much of a call it fills. */
  places: number;
  /** Whether it needs a whole child, with no other image beside it. */
  isAlone?: boolean | undefined;
};

type LineOptions<Child> = {
  /** Places of each child. */
  places: number;
  /** Whether a child can be given an image now. */
  isUsable?: (child: Child) => boolean;
};

/** Some of the places of a child, until they are given back. */
export type Share<Child> = { child: Child; giveBack: () => void };

type Waiting<Child> = { need: Need; passedBy: number; have: (share: Share<Child>) => void };
type Slot<Child> = { child: Child; free: number; inHand: Need[] };

/**
 * Hands out the places of several children, first come, first served. Only images of a bin that a child already has may
 * overtake others, and only so often.
 */
export class ChildLine<Child> {
  readonly #slots: Slot<Child>[];
  readonly #options: Required<LineOptions<Child>>;
  readonly #waiting: Waiting<Child>[] = [];

  constructor(children: readonly Child[], options: LineOptions<Child>) {
    this.#options = { isUsable: () => true, ...options };
    this.#slots = children.map((child) => ({ child, free: options.places, inHand: [] }));
  }

  /**
   * Waits for a share of a child, until the signal is aborted.
   *
   * @throws the signal's reason
   */
  take(need: Need, signal: AbortSignal | undefined): Promise<Share<Child>> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(signal?.reason);
        this.serve();
      };
      const waiting: Waiting<Child> = {
        need,
        passedBy: 0,
        have: (share) => {
          signal?.removeEventListener('abort', leave);
          resolve(share);
        },
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiting.push(waiting);
      this.serve();
    });
  }

  /** Hands out every place that is free. Call it when a child has become usable. */
  serve(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const [waiting, slot] = next;
      const place = this.#waiting.indexOf(waiting);
      for (const passed of this.#waiting.slice(0, place)) passed.passedBy += 1;
      this.#waiting.splice(place, 1);
      waiting.have(this.#share(slot, waiting.need));
    }
  }

  #share(slot: Slot<Child>, need: Need): Share<Child> {
    const places = this.#placesOf(need);
    slot.free -= places;
    slot.inHand.push(need);
    return {
      child: slot.child,
      giveBack: () => {
        slot.free += places;
        slot.inHand.splice(slot.inHand.indexOf(need), 1);
        this.serve();
      },
    };
  }

  #next(): [Waiting<Child>, Slot<Child>] | undefined {
    const { places, isUsable } = this.#options;
    const slots = this.#slots.filter(({ child }) => isUsable(child)).toSorted((a, b) => b.free - a.free);
    const fits = ({ need }: Waiting<Child>, { free }: Slot<Child>): boolean => free >= this.#placesOf(need);
    // An image that was overtaken often, or needs a whole child, might otherwise never find enough places free at once.
    const urgent = this.#waiting.find(({ need, passedBy }) => need.isAlone || passedBy >= 2 * places);
    if (urgent !== undefined) {
      const slot = slots.find((slot) => fits(urgent, slot));
      if (slot !== undefined) return [urgent, slot];
      // The child with the most free places is kept for it.
      slots.shift();
    }
    for (const slot of slots) {
      const fitting = this.#waiting.filter((waiting) => fits(waiting, slot));
      const waiting = fitting.toSorted((a, b) => alike(slot, b) - alike(slot, a))[0];
      if (waiting !== undefined) return [waiting, slot];
    }
    return undefined;
  }

  #placesOf({ places, isAlone }: Need): number {
    return isAlone ? this.#options.places : Math.min(places, this.#options.places);
  }
}

const alike = <Child>({ inHand }: Slot<Child>, { need }: Waiting<Child>): number =>
  inHand.filter(({ bin }) => bin === need.bin).length;
