import type { OnRead } from '../../client/index.ts';
import { type StepDisplay, stepDisplay } from './step-display.ts';

/** Most catalogs are read in less time. */
const PATIENCE_MS = 1_000;

const MEGABYTE = 1e6;

/** Shows how much of a large catalog has been read, until `read` returns. */
export async function showReading<T>(read: (onRead: OnRead) => Promise<T>): Promise<T> {
  const began = performance.now();
  let display: StepDisplay | undefined;
  try {
    return await read((bytes, of) => {
      if (display === undefined && performance.now() - began < PATIENCE_MS) return;
      display ??= stepDisplay(Math.ceil(of / MEGABYTE), { what: 'MB of the catalog' });
      display.show(Math.ceil(bytes / MEGABYTE));
    });
  } finally {
    display?.end();
  }
}
