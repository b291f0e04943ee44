/**
 * How many texts are encoded in two nights of one catalog. First an encode worker and a render worker without the text encoder; then, with fresh
 * seeds, another render worker alone. Real processes, real Temporal, pictures that are encoded, stored and recorded as ever; of the
 * networks only the arithmetic is left out. `npx tsx benchmarks/kept-captions.ts [--rows 1000] [--variants 4]`; exit code 1 where a text is
 * encoded twice.
 */
import { parseArgs } from 'node:util';
import { DISTINCT_NEGATIVES_EVERY, type Night, twoNights } from '../tests/e2e/two-nights.ts';

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '1000' }, variants: { type: 'string', default: '4' } },
});
const [rows, variants] = [Number(values.rows), Number(values.variants)];

const { first, second, captions } = await twoNights(rows, variants, console.error);
const negatives = 1 + Math.ceil(rows / DISTINCT_NEGATIVES_EVERY);
const line = (name: string, { totals, computed, encoded, seconds }: Night): string =>
  `| ${name} | ${totals.rendered} | ${computed} | ${encoded} | ${seconds.toFixed(0)} |`;
console.log('| night | images | computed | texts encoded | seconds |\n| --- | --- | --- | --- | --- |');
console.log(line(`first: ${rows} prompts, ${negatives} negative prompts`, first));
console.log(line('second: fresh seeds, another worker, no text encoder', second));
console.log(`\n${captions.objects} captions kept, ${captions.bytes} bytes`);
const isRight = first.encoded === rows + negatives && second.encoded === 0 && second.computed === rows * variants;
if (!isRight) process.exitCode = 1;
