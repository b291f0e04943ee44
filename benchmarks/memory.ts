/**
 * Predicted and measured memory of the processes that encode and paint: `npx tsx benchmarks/memory.ts [bundle] [size …] [--json]`.
 *
 * Each size is rendered by its own process, two steps with guidance, from captions of 20 tokens. Peaks are the kernel's
 * (VmHWM); the part mapped from files is shown separately, since other processes share it.
 */

import { parseArgs } from 'node:util';
import { nearestBin } from '../domain/bins.ts';
import { SIZES, type Size } from '../domain/size.ts';
import { chosenBundle } from '../models/pixart/index.ts';
import { encoderMemory, type ProcessMemory, painterMemory } from '../models/pixart/memory.ts';
import { networksOf } from '../models/pixart/networks.ts';
import { PART_OPTIONS, say, tellLines } from './bench/part.ts';
import type { Line } from './bench/report.ts';
import { encoderPeak, type Peak, painterPeak } from './memory/peak.ts';

const TOKENS = 20;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: PART_OPTIONS });
  const [name, ...asked] = positionals;
  const bundle = await chosenBundle(name);
  const networks = networksOf(bundle);
  const sizes = asked.length > 0 ? (asked as Size[]) : SIZES.filter((size) => bundle.description.sizes[size]);
  const measured: [string, ProcessMemory | null, Peak][] = [
    ['text encoder', encoderMemory(networks), await encoderPeak(bundle)],
  ];
  for (const size of sizes) {
    say(`  ${size}`);
    const predicted = painterMemory(networks, { bin: nearestBin(size, 1, 1), tokens: TOKENS });
    measured.push([`painter, ${size}`, predicted, await painterPeak(bundle, size, TOKENS)]);
  }
  const { name: bundleName } = bundle.description;
  tellLines(
    measured.flatMap(([what, predicted, peak]) => lineOf(`${bundleName}: ${what}`, predicted, peak)),
    values.json,
  );
}

/** Empty if there is no prediction. */
function lineOf(what: string, predicted: ProcessMemory | null, { peak, file }: Peak): Line[] {
  if (predicted === null) return [];
  const { total, file: mapped } = predicted;
  return [
    {
      what: `${what}: predicted memory over measured`,
      unit: '',
      ours: [total / peak],
      goal: { between: [0.85, 1.15] },
      note: `predicted ${mebibytes(total)} MiB (${mebibytes(mapped)} mapped from files), measured ${mebibytes(peak)} (${mebibytes(file)})`,
    },
  ];
}

const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);

void main();
