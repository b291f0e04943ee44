import type { RendererChild } from './renderer-child.ts';

/**
 * Remembers the bins whose images found no memory beside others. Each of them takes twice as many places from then on,
 * so that fewer are computed at once: otherwise they would end one child after the other.
 */
export class Crowding {
  readonly #factors = new Map<string, number>();
  readonly #counted = new WeakSet<Pick<RendererChild, 'endedWithSeveral'>>();

  places(bin: string, usual: number): number {
    return usual * (this.#factors.get(bin) ?? 1);
  }

  /** An image of the bin found no memory in this child. Where it ended with several, all of them say so; it counts once. */
  ranOut(bin: string, child: Pick<RendererChild, 'endedWithSeveral'>): void {
    if (!child.endedWithSeveral || this.#counted.has(child)) return;
    this.#counted.add(child);
    this.#factors.set(bin, 2 * (this.#factors.get(bin) ?? 1));
  }
}
