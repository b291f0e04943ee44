import type { RendererChild } from './renderer-child.ts';

/**
 * Remembers the bins whose images ran out of memory beside others. Images of such a bin take twice as many places from
 * then on, so that fewer are computed at once: otherwise they would kill one child after another.
 */
export class Crowding {
  readonly #factors = new Map<string, number>();
  readonly #counted = new WeakSet<Pick<RendererChild, 'endedWithSeveral'>>();

  places(bin: string, usual: number): number {
    return usual * (this.#factors.get(bin) ?? 1);
  }

  /** An image of the bin ran out of memory in this child. If it died with several, each reports it, but it counts once. */
  ranOut(bin: string, child: Pick<RendererChild, 'endedWithSeveral'>): void {
    if (!child.endedWithSeveral || this.#counted.has(child)) return;
    this.#counted.add(child);
    this.#factors.set(bin, 2 * (this.#factors.get(bin) ?? 1));
  }
}
