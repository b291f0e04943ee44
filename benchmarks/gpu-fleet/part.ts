import type { Interval } from '../overlap/intervals.ts';
import type { Rate } from './rates.ts';

/** The bundle of all images. */
export const BUNDLE = {
  name: 'simulated',
  digest: '0'.repeat(64),
  sizes: ['256' as const, '512' as const, '1024' as const, '2k' as const, '4k' as const],
  defaults: { steps: 20, guidance: 4.5 },
};

/** What one process of render workers is to do. */
export type FleetPart = { address: string; rate: Rate; gpus: number };

/** What one GPU did, in milliseconds since 1970: its activities from start to end, and when its device was busy. */
export type GpuRecord = { images: Interval[]; busy: Interval[] };
