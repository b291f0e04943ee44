/**
 * Predicted and measured memory of the processes that encode and paint: `npx tsx benchmarks/memory.ts [bundle] [size …]`.
 *
 * Every size is painted by a process of its own, two steps with guidance, from captions of 20 tokens. Peaks are the kernel's (VmHWM); what
 * of them is mapped from files is told apart, since other processes share it.
 */

import { nearestBin } from '../domain/bins.ts';
import { SIZES, type Size } from '../domain/size.ts';
import { chosenBundle } from '../models/pixart/index.ts';
import { encoderMemory, type ProcessMemory, painterMemory } from '../models/pixart/memory.ts';
import { networksOf } from '../models/pixart/networks.ts';
import { encoderPeak, type Peak, painterPeak } from './memory/peak.ts';

const TOKENS = 20;

async function main([name, ...asked]: string[]): Promise<void> {
  const bundle = await chosenBundle(name);
  const networks = networksOf(bundle);
  const sizes = asked.length > 0 ? (asked as Size[]) : SIZES.filter((size) => bundle.description.sizes[size]);
  console.log(`${bundle.description.name}: MiB, mapped from files in brackets`);
  tell('text encoder', encoderMemory(networks), await encoderPeak(bundle));
  for (const size of sizes) {
    const predicted = painterMemory(networks, { bin: nearestBin(size, 1, 1), tokens: TOKENS });
    tell(`painter, ${size}`, predicted, await painterPeak(bundle, size, TOKENS));
  }
}

function tell(what: string, predicted: ProcessMemory | null, { peak, file }: Peak): void {
  const found = `measured ${mebibytes(peak)} (${mebibytes(file)})`;
  if (predicted === null) {
    console.log(`${what}: not known, ${found}`);
    return;
  }
  const { total, file: mapped } = predicted;
  console.log(
    `${what}: predicted ${mebibytes(total)} (${mebibytes(mapped)}), ${found}, ratio ${(total / peak).toFixed(2)}`,
  );
}

const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);

void main(process.argv.slice(2));
