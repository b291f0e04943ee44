import type { Size } from '../../domain/size.ts';
import type { Bundle } from '../pixart/index.ts';

/** X */
export function childMemory({ description }: Bundle, sizes: readonly Size[]): number {
  const weights = Object.values(description.files).reduce((sum, { bytes }) => sum + bytes, 0);
  return weights + (sizes.length > 0 ? 2 ** 31 : 0);
}
