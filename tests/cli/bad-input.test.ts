import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startTemporalServer, type TemporalServer } from '../../infra/dev/temporal-server.ts';
import type { Finished } from '../e2e/command-line.ts';
import { createWorkplace, type Workplace } from '../e2e/workplace.ts';
import { runHere } from './run-here.ts';

vi.setConfig({ hookTimeout: 300_000 });

let place: Workplace;
let server: TemporalServer;

beforeAll(async () => {
  place = await createWorkplace();
  server = await startTemporalServer({ ui: false });
});

afterAll(async () => {
  await server?.stop();
  await place.remove();
});

const run = (args: string[]): Promise<Finished> =>
  runHere(args, { ...place.environment, TEMPORAL_ADDRESS: server.address });

/** Expects a message without a stack and exit code 2, and that nothing was written. */
async function expectRefused(args: string[], message: RegExp): Promise<void> {
  const finished = await run(args);
  expect(finished).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
  expect(finished.stderr).not.toMatch(/^\s+at /m);
  expect(existsSync(place.store)).toBe(false);
}

/** Rows that each have their own keys. */
function ownKeys(rows: number, keys: number): string {
  const row = (number: number) =>
    Object.fromEntries(Array.from({ length: keys }, (_, key) => [`k${number}_${key}`, 'x']));
  return Array.from({ length: rows }, (_, number) => JSON.stringify({ prompt: 'a fox', ...row(number) })).join('\n');
}

const catalogs: [problem: string, file: string, text: string | Uint8Array, message: RegExp][] = [
  ['no prompt column', 'a.csv', 'id,text\n1,a fox', /prompt.*"id", "text"; is it --column prompt=text\?/],
  ['a size that does not exist', 'b.csv', 'prompt,size\na fox,999', /line 2, size: .*999/],
  ['a width of a billion', 'c.csv', 'prompt,width,height\na fox,1e9,512', /line 2, width: .*1e9/],
  ['an id that climbs out of its folder', 'd.csv', 'id,prompt\n../../x,a fox', /line 2, id: .*\.\.\/\.\.\/x/],
  ['two rows with one id', 'e.csv', 'id,prompt\nfox,a fox\nfox,a wolf', /line 3, id: .*fox/],
  ['bytes that are not text', 'f.csv', Buffer.from('prompt\nun caf\x81', 'latin1'), /UTF-8/],
  ['an empty file', 'g.csv', '', /g\.csv/],
  ['a header without rows', 'h.csv', 'prompt\n', /at least one row/],
  ['a size that the bundle does not serve', 'i.csv', 'prompt,size\na fox,4k', /line 2, size: .*256, 512.*4k/],
  ['keys that are data', 'k.jsonl', ownKeys(250, 190), /line 3, k2_120: .*at most 500 different columns besides ours/],
  ['invalid JSON', 'j.jsonl', '{"prompt": "a fox"\n', /line 1/],
];

test.each(catalogs)('a catalog with %s is refused', async (_, file, text, message) => {
  await expectRefused(['submit', await place.catalog(file, text)], message);
});

test('all problems of a catalog are reported in one pass', async () => {
  const catalog = await place.catalog('all.csv', 'id,prompt,size,seed\n../x,a fox,999,-1\nok,,256,1');
  const { stderr } = await run(['submit', catalog]);
  for (const part of ['line 2, id', 'line 2, size', 'line 2, seed', 'line 3, prompt']) expect(stderr).toContain(part);
});

test.each([
  ['a missing catalog', ['submit', 'nowhere.csv'], /nowhere\.csv/],
  [
    'a catalog of unknown format',
    ['submit', 'catalog.ods'],
    /\.csv, \.tsv, \.xlsx, \.jsonl or \.txt.*: save it as \.xlsx or "CSV UTF-8"/,
  ],
  [
    'a schedule for a catalog of unknown format',
    ['schedule', 'create', 's', 'a.json', '--at', '03:00'],
    /one object per line, as \.jsonl/,
  ],
  [
    'a prompt that does not fit into JPEG metadata',
    ['render', '猫 '.repeat(9_000), '--out', 'x.jpg'],
    /^pixart-batch: prompt: expected prompts that fit.*JPEG/m,
  ],
  ['a column mapping for a list of prompts', ['plan', 'LIST', '--column', 'prompt=a'], /column mapping: .*\.txt/],
  ['a batch id that cannot be a folder name', ['submit', 'CATALOG', '--batch', '../x'], /batch id/],
  ['a mapping of an unknown column', ['submit', 'CATALOG', '--column', 'colour=Prompt'], /column mapping/],
  ['a column mapped twice', ['plan', 'CATALOG', '--column', 'prompt=a', '--column', 'Prompt=b'], /already read from a/],
  ['a folder in place of a catalog', ['plan', '.', '--catalog-format', 'csv'], /catalog: .*found a folder/],
  ['a catalog on the web', ['plan', 'https://host/x.csv'], /catalog: expected a path.*https:\/\/host\/x\.csv/],
  ['a file URL that is not a path', ['plan', 'file:///a%2Fb.csv'], /catalog: expected a path in file:\/\/\/a%2Fb\.csv/],
  [
    'a column named like a property of every object',
    ['plan', 'CATALOG', '--column', 'constructor=b'],
    /column mapping/,
  ],
  ['an empty --terms', ['plan', 'CATALOG', '--terms', ''], /--terms.*found nothing/],
  ['an empty --store', ['plan', 'CATALOG', '--store', ''], /--store.*found nothing[\s\S]*--help/],
  ['a hexadecimal number', ['plan', 'CATALOG', '--sample', '0x10'], /whole number/],
  [
    'an output folder that is a file',
    ['render', 'a fox', '--out', 'package.json/fox.png'],
    /fox\.png cannot be written: .*--out/,
  ],
  ['a missing bundle', ['submit', 'CATALOG', '--bundle', 'nowhere'], /bundle "nowhere"/],
  ['a store of an unknown kind', ['submit', 'CATALOG', '--store', 's3://bucket'], /s3:\/\/bucket/],
  ['a verb that does not exist', ['sumbit', 'CATALOG'], /unknown command 'sumbit'/],
  ['an option that does not exist', ['submit', 'CATALOG', '--wiat'], /unknown option '--wiat'/],
  ['a quality out of range', ['submit', 'CATALOG', '--quality', '101'], /whole number from 1 to 100/],
  ['an unknown way to decode', ['submit', 'CATALOG', '--decode', 'half'], /Allowed choices are tiled, whole/],
  ['a quality for PNG', ['submit', 'CATALOG', '--quality', '80'], /--image-format webp, avif or jpeg/],
  ['a quality of one image in PNG', ['render', 'a fox', '--quality', '80'], /--quality: expected --out .*\.webp/],
  ['a sample seed without a sample', ['plan', 'CATALOG', '--sample-seed', '7'], /--sample as well/],
  ['a plan for a store of an unknown kind', ['plan', 'CATALOG', '--store', 's3://bucket'], /s3:\/\/bucket/],
  ['a schedule without a time', ['schedule', 'create', 's', 'CATALOG'], /--at or --cron/],
  ['days without a time', ['schedule', 'create', 's', 'CATALOG', '--days', 'monday'], /--days: expected --at as well/],
  ['an invalid cron expression', ['schedule', 'create', 's', 'CATALOG', '--cron', 'x'], /cron "x": expected five/],
])('%s is refused', async (_, args, message) => {
  const files: Record<string, string> = {
    CATALOG: await place.catalog('good.csv', 'prompt\na fox'),
    LIST: await place.catalog('good.txt', 'a fox'),
  };
  await expectRefused(
    args.map((arg) => files[arg] ?? arg),
    message,
  );
});

test('an image never replaces a folder, and this is checked before rendering', async () => {
  const folder = join(place.folder, 'folder.png');
  mkdirSync(folder);
  await expectRefused(['render', 'a fox', '--out', folder, '--force'], /folder\.png cannot be written: it is a folder/);
});

test.each([
  ['clean', ['clean', '--batches-older-than', '90d']],
  ['audit', ['audit']],
  ['forget', ['forget', '--where', 'customer=acme']],
])('"%s" of a folder that does not exist does not end as if there were nothing to do', async (_, args) => {
  const store = join(place.folder, 'mistyped');
  await expectRefused([...args, '--store', store], /mistyped: expected a folder .*, found none\. Check --store/);
});

test.each([
  ['report', ['report', 'mistyped']],
  ['verify', ['verify', 'mistyped']],
])('%s of an unknown batch says so', async (_, args) => {
  await expectRefused(
    args,
    /batch mistyped: expected a batch of that name in .*, found none\. Check --store; "npx pixart-batch list" shows/,
  );
});

test('status without a server looks into the store', async () => {
  const nobody = await runHere(['status', 'mistyped', '--address', '127.0.0.1:1'], place.environment);
  expect(nobody).toMatchObject({ code: 4, stdout: '', stderr: expect.stringMatching(/\nNothing of it is in /) });
});

test('clean says that a store has nothing to remove', async () => {
  const empty = join(place.folder, 'empty');
  mkdirSync(empty);
  const cleaned = await run(['clean', '--store', empty]);
  expect(cleaned).toMatchObject({ code: 0, stdout: expect.stringMatching(/^nothing to remove in .*\n$/) });
});

test('none of these commands has started anything', async () => {
  expect(await run(['list'])).toMatchObject({
    code: 0,
    stdout: '',
    stderr: expect.stringMatching(/^the server knows no batch\..*\n$/),
  });
  expect(await run(['schedule', 'list'])).toMatchObject({ code: 0, stdout: '', stderr: 'no schedules yet\n' });
});

test('a schedule whose catalog is missing or invalid is created with a warning', async () => {
  const missing = await run(['schedule', 'create', 'early', 'tomorrow.csv', '--at', '03:00']);
  expect(missing).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/tomorrow\.csv does not exist yet: batches fail/),
  });
  const wrong = await place.catalog('wrong.csv', 'prompt,size\na fox,999');
  expect(await run(['schedule', 'create', 'wrong', wrong, '--at', '03:00'])).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/line 2, size: .*\nUntil this is fixed, batches fail\.\n$/s),
  });
  const there = await place.catalog('good.csv', 'prompt\na fox');
  expect(await run(['schedule', 'create', 'ready', there, '--at', '03:00'])).toMatchObject({ code: 0, stderr: '' });
});

const surprising = `prompt,negative,cfg_scale,sampler\n一只猫,blurry,7,Euler\na (flat:1.3) fox,,,Euler\n${'fox '.repeat(200)},,,\n`;

const surprises = [
  /^column "negative" has no effect and is carried over; did you mean negative_prompt\?/m,
  /^column "cfg_scale" has no effect and is carried over; did you mean guidance\? Map it with --column guidance=cfg_scale/m,
  /^column "sampler" has no effect here and is carried over: the bundle has its sampler$/m,
  /^warning: 1 row with a prompt that has no words left after cleaning.*: line 2$/m,
  /^1 row with a prompt of more than \d+ tokens, whose end the model does not see: line 4$/m,
  /^1 row with a prompt that loses words in cleaning, as in line 2: "一只猫" is read as ""/m,
  /^1 row with emphasis, tags or flags of other tools, such as "\(flat:1\.3\)".*: line 3$/m,
];

test.each([
  ['a schedule', ['schedule', 'create', 'surprising', 'CATALOG', '--at', '03:00', '--seeds', 'fresh']],
  ['a submission', ['submit', 'CATALOG', '--batch', 'surprising']],
])('%s prints the same notes about prompts and columns as a plan, and continues', async (_, args) => {
  const catalog = await place.catalog('surprising.csv', surprising);
  const finished = await run(args.map((arg) => (arg === 'CATALOG' ? catalog : arg)));
  expect(finished.code).toBe(0);
  for (const surprise of surprises) expect(finished.stderr).toMatch(surprise);
});

test("a submission's JSON has these notes too", async () => {
  const catalog = await place.catalog('surprising.csv', surprising);
  const { stdout } = await run(['submit', catalog, '--batch', 'surprising-json', '--json']);
  expect(JSON.parse(stdout)).toMatchObject({
    columnHints: [{ found: 'negative' }, { found: 'cfg_scale' }, { found: 'sampler' }],
    marks: { rows: 1 },
    cutPrompts: { firstLines: [4] },
    emptyPrompts: { firstLines: [2] },
    cleanedPrompts: { changes: [{ line: 2, before: '一只猫', after: '' }] },
  });
});
