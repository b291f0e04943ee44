/** How many processes render on a processor at once, and how many threads each of them has. */
export type PoolShape = { children: number; threads: number };

export type MeasuredShape = PoolShape & { imagesPerMinute: number };

/**
 * More processes take more memory and delay each image, so they have to be this much faster. Measurements of seconds vary
 * by as much.
 */
const WORTH_IT = 1.05;

/**
 * Shapes that use all cores, fewest children first: a single child, then at least twice as many each time, and finally
 * one for each core.
 *
 * @param most how many children there is memory for
 */
export function candidateShapes(cores: number, most: number): PoolShape[] {
  const shapes: PoolShape[] = [];
  for (let children = 1; children <= Math.min(cores, most); children += 1) {
    const isFarEnough = children >= 2 * (shapes.at(-1)?.children ?? 0) || children === cores;
    if (cores % children === 0 && isFarEnough) shapes.push({ children, threads: cores / children });
  }
  return shapes;
}

/** The fastest, or one with fewer children that is about as fast; `undefined` if none was measured. */
export function chosenShape(measured: readonly MeasuredShape[]): MeasuredShape | undefined {
  const byChildren = measured.toSorted((a, b) => a.children - b.children);
  return byChildren.reduce<MeasuredShape | undefined>(
    (best, shape) => (best === undefined || shape.imagesPerMinute > WORTH_IT * best.imagesPerMinute ? shape : best),
    undefined,
  );
}

/** `2 × 1 thread` */
export const shapeText = ({ children, threads }: PoolShape): string =>
  `${children} × ${threads} thread${threads === 1 ? '' : 's'}`;
