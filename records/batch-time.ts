import type { Size } from '../domain/size.ts';
import { estimate, type Work } from './estimate.ts';
import { deviceSeconds, type ManifestRow } from './manifest-table.ts';
import type { Rates } from './rates.ts';

/** Device time of a batch's pictures: the time that one device needs for them, one after the other. */
export type BatchTime = {
  /** For the pictures that were rendered. */
  deviceSeconds: number;
  /** The estimate at planning time for all pictures that were missing; `null` if no rates were known then. */
  plannedSeconds: number | null;
};

/** @param rates as known when the batch was planned */
export function batchTime(rows: readonly ManifestRow[], rates: Rates | null): BatchTime {
  const rendered = rows.filter(({ status }) => status === 'rendered');
  const seconds = rendered.reduce((sum, row) => sum + deviceSeconds(row), 0);
  const toRender = workOf(rows.filter(({ status }) => status !== 'reused'));
  return { deviceSeconds: seconds, plannedSeconds: rates && estimate(rates, toRender).deviceSeconds };
}

function workOf(rows: readonly ManifestRow[]): Map<Size, Work> {
  const work = new Map<Size, Work>();
  for (const { size, steps, width, height } of rows) {
    const before = work.get(size) ?? { images: 0, steps: 0, pixels: 0 };
    const pixels = before.pixels + width * height;
    work.set(size, { images: before.images + 1, steps: before.steps + steps, pixels });
  }
  return work;
}
