/**
 * How many texts are encoded in two nights of one catalog. The first night has an encode worker and a render worker
 * without the text encoder; the second, with fresh seeds, only another render worker. Processes and Temporal are real,
 * and images are encoded, stored and recorded as usual; only the networks' arithmetic is left out. `npx tsx
 * benchmarks/kept-captions.ts [--rows 1000] [--variants 4] [--json]`; exit code 1 if a text is encoded twice.
 */
import { parseArgs } from 'node:util';
import { DISTINCT_NEGATIVES_EVERY, twoNights } from '../tests/e2e/two-nights.ts';
import { PART_OPTIONS, say, tellLines } from './bench/part.ts';

const { values } = parseArgs({
  options: { ...PART_OPTIONS, rows: { type: 'string', default: '1000' }, variants: { type: 'string', default: '4' } },
});
const [rows, variants] = [Number(values.rows), Number(values.variants)];

const { first, second, captions } = await twoNights(rows, variants, say);
const texts = rows + 1 + Math.ceil(rows / DISTINCT_NEGATIVES_EVERY);
tellLines(
  [
    {
      what: `first night, ${rows} prompts and their negative ones × ${variants}: texts encoded`,
      unit: 'texts',
      ours: [first.encoded],
      goal: { between: [texts, texts] },
      note: `${first.computed} images computed; ${captions.objects} captions kept, ${captions.bytes} bytes; ${first.seconds.toFixed(0)} s`,
    },
    {
      what: 'second night, fresh seeds, another worker process without the text encoder: texts encoded',
      unit: 'texts',
      ours: [second.encoded],
      goal: { atMost: 0 },
      note: `${second.computed} images computed; ${second.seconds.toFixed(0)} s`,
    },
  ],
  values.json,
);
const isRight = first.encoded === texts && second.encoded === 0 && second.computed === rows * variants;
// With --json, the line in the table of `npm run bench` says so itself.
if (!isRight && !values.json) process.exitCode = 1;
