/**
 * What a whole batch costs: `dev` and `submit --wait`, as a person types them, with the shipped 4-step bundle at 256
 * px, at an earlier commit and in this checkout in turn. Linux only. `npx tsx benchmarks/whole-product.ts [--images 60]
 * [--rounds 3] [--against eceba92 | --alone] [--json] [-- options of dev]`
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { PART_OPTIONS, say } from './bench/part.ts';
import { checkoutOf, thisCheckout } from './whole-product/checkout.ts';
import { encodingSeconds } from './whole-product/encoding.ts';
import { type Figures, figuresOf, linesOf, tableOf } from './whole-product/figures.ts';
import { type Measured, startFleet } from './whole-product/fleet.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ...PART_OPTIONS,
    images: { type: 'string', default: '60' },
    against: { type: 'string', default: 'eceba92' },
    alone: { type: 'boolean', default: false },
  },
});
const [images, rounds] = [Number(values.images), Number(values.rounds)];

const folder = await mkdtemp(path.join(tmpdir(), 'pixart-whole-'));
const checkouts = [...(values.alone ? [] : [await checkoutOf(values.against, folder)]), thisCheckout()];
const figures: Record<string, Figures[]> = Object.fromEntries(checkouts.map(({ name }) => [name, []]));
try {
  for (let round = 1; round <= rounds; round += 1) {
    for (const checkout of checkouts) {
      say(`  round ${round} of ${rounds}: ${checkout.name} …`);
      const fleet = await startFleet(checkout, await mkdtemp(path.join(folder, 'state-')), positionals);
      try {
        // One-off builds and cold caches are no part of a batch's cost.
        await fleet.batch(2);
        const one: Measured = await fleet.batch(1);
        const many: Measured = await fleet.batch(images);
        const encoding = await encodingSeconds(fleet.store, many.pictures);
        const found = figuresOf(one, many, encoding);
        figures[checkout.name]!.push(found);
        say(`  ${found.imagesPerMinute.toFixed(1)} images a minute, ${found.fixed.toFixed(1)} s fixed`);
      } finally {
        await fleet.stop();
      }
    }
  }
} finally {
  for (const checkout of checkouts) checkout.remove();
  await rm(folder, { recursive: true, force: true });
}
console.log(values.json ? JSON.stringify(linesOf(figures, images)) : tableOf(figures));
