import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleRef, chosenBundle, planBatch } from '../../client/index.ts';
import { LIMITS_NAME, latestBatchName, ratesName } from '../../records/layout.ts';
import { takeFromDay } from '../../records/usage.ts';
import { openStore } from '../../store/index.ts';
import { runHere } from './run-here.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plan-'));
});

afterAll(() => rm(folder, { recursive: true }));

async function plan(text: string, ...options: string[]): Promise<string> {
  const catalog = join(folder, 'catalog.csv');
  await writeFile(catalog, text);
  const store = ['--store', join(folder, 'out')];
  const { code, stdout, stderr } = await runHere(['plan', catalog, '--bundle', 'pixart-icons', ...store, ...options]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout;
}

test('a plan reports negative prompts that have no effect at guidance 1', async () => {
  const rows = 'prompt,negative_prompt,guidance\na fox,blurry,1\na dog,,1\na cat,blurry,\n';
  expect(await plan(rows)).toContain('1 row with a negative prompt that has no effect: guidance 1 ignores it');
  expect(JSON.parse(await plan(rows, '--json'))).toMatchObject({ jobs: 3, unheardNegatives: 1 });
  expect(await plan('prompt,negative_prompt\na fox,blurry\n')).not.toContain('negative');
  expect(await plan('prompt,negative_prompt\na fox,blurry\n', '--bundle', 'pixart-icons-4-steps')).toContain(
    'no effect',
  );
});

test('a plan that exceeds its limits exits with 2, and one within them shows the figures', async () => {
  const catalog = join(folder, 'limited.csv');
  await writeFile(catalog, 'prompt\na fox\nan owl\n');
  const store = join(folder, 'out-of-limited');
  const limited = (...options: string[]) =>
    runHere(['plan', catalog, '--bundle', 'pixart-icons', '--store', store, ...options]);
  const large = await limited('--max-jobs', '1');
  expect(large).toMatchObject({ code: 2, stdout: expect.stringContaining('to render: 2') });
  expect(large.stderr).toMatch(/--max-jobs: expected at most 1 images to render, found 2; nothing was started\n$/);
  const dear = ['--max-cost', '5', '--cost-per-hour', '3600'];
  expect(await limited(...dear)).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/--max-cost: expected a pace/),
  });
  const { digest, defaults } = bundleRef(await chosenBundle('pixart-icons'));
  const sizes = { '256': { 'NVIDIA L4': { images: 10, secondsPerStep: 1 / defaults.steps } } };
  const opened = await openStore(pathToFileURL(store).href);
  const rates = JSON.stringify({ format: 2, bundle: digest, sizes });
  await opened.replace(ratesName(digest), Buffer.from(rates), 'application/json');
  expect(await limited(...dear, '--size', '256')).toMatchObject({
    code: 0,
    stderr:
      'within the limits: 2 images to render; about 2.00: 0.0006 h of device time, as on NVIDIA L4, at 3600 an hour\n',
  });
  expect(await limited('--max-cost', '5')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--cost-per-hour'),
  });
});

test('the library reports how much of a catalog has been read', async () => {
  const catalog = join(folder, 'large.csv');
  const text = ['prompt', ...Array.from({ length: 10_000 }, (_, row) => `a fox of number ${row}`), ''].join('\n');
  await writeFile(catalog, text);
  const heard: [bytes: number, of: number][] = [];
  const request = { catalog, store: join(folder, 'out'), bundle: await chosenBundle('pixart-icons') };
  await planBatch(request, (bytes, of) => heard.push([bytes, of]));
  expect(heard.length).toBeGreaterThan(2);
  expect(heard.map(([bytes]) => bytes)).toEqual(heard.map(([bytes]) => bytes).toSorted((a, b) => a - b));
  expect(heard.at(-1)).toEqual([text.length, text.length]);
});

test('a plan asks about a column spelt almost like one of ours', async () => {
  const catalog = join(folder, 'typo.csv');
  await writeFile(catalog, 'prompt,Negativ Prompt,variant,team,no,sku\na fox,blurry,2,shop,7,k1\n');
  const { stderr } = await runHere(['plan', catalog, '--bundle', 'pixart-icons', '--store', join(folder, 'out')]);
  expect(stderr.trim().split('\n')).toEqual([
    'column "Negativ Prompt" has no effect and is carried over; did you mean negative_prompt? Map it with --column \'negative_prompt=Negativ Prompt\'',
    'column "variant" has no effect and is carried over; did you mean variants? Map it with --column variants=variant',
  ]);
});

test('a plan lists rows whose prompt or negative prompt is longer than the model reads', async () => {
  const long = 'blurry '.repeat(200);
  expect(await plan(`prompt,negative_prompt\na fox,\na dog,${long}\n${long},\n`)).toContain(
    '2 rows with a prompt of more than 120 tokens, whose end the model does not see: line 3, 4',
  );
});

test('a plan lists the columns that are carried over, and those that clash with the manifest table', async () => {
  const told = await plan('prompt,team,status\na fox,shop,new\n');
  expect(told).toMatch(/^carried over to the manifest: team$/m);
  expect(told).toMatch(
    /^carried over to manifest\.jsonl only, since manifest\.csv has its own columns of that name: status$/m,
  );
});

test('a plan lists rows whose prompt is empty after cleaning, and its JSON shows what is left of each', async () => {
  const catalog = join(folder, 'empty.csv');
  await writeFile(catalog, 'id,prompt\na,一只猫\nb,free shipping\nc,a fox\nd,r2d2 robot\n');
  const run = (...options: string[]) =>
    runHere(['plan', catalog, '--bundle', 'pixart-icons', '--store', join(folder, 'out'), ...options]);
  const told = await run();
  expect(told.stderr).toBe(
    'warning: 2 rows with a prompt that has no words left after cleaning, so it counts as empty: line 2, 3\n',
  );
  expect(told.stdout).toContain(
    '3 rows with a prompt that loses words in cleaning, as in line 2: "一只猫" is read as ""; plan --json lists them',
  );
  expect(JSON.parse((await run('--json')).stdout)).toMatchObject({
    emptyPrompts: { rows: 2, firstLines: [2, 3] },
    cleanedPrompts: {
      rows: 3,
      changes: [{ after: '' }, { after: '' }, { line: 5, column: 'prompt', before: 'r2d2 robot', after: 'robot' }],
    },
  });
});

test('a plan reports emphasis and tags that are drawn as text, once', async () => {
  const told = await plan(
    'prompt\n"a (flat:1.3) [glossy] apple <lora:foo:0.8>, BREAK, ((red))"\na ((red)) fox\na fox\n',
  );
  expect(told).toContain(
    '2 rows with emphasis, tags or flags of other tools, such as "(flat:1.3)", which are plain text here: line 2, 3',
  );
});

test('a prompt that is too long for JPEG metadata is a problem of its row, but not in other formats', async () => {
  const catalog = join(folder, 'long.csv');
  await writeFile(catalog, `prompt,variants\na fox,1\n${'猫 '.repeat(9_000)},2\n`);
  const run = (...options: string[]) =>
    runHere(['plan', catalog, '--bundle', 'pixart-icons', '--store', join(folder, 'out'), ...options]);
  const jpeg = await run('--image-format', 'jpeg');
  expect(jpeg.code).toBe(2);
  expect(jpeg.stderr).toMatch(
    /long\.csv: 1 problem in the catalog\n {2}line 3, prompt: expected prompts that fit, .* into the 60,000 bytes that a JPEG file has for it, found [67]\d,\d{3}; shorten them, or choose png, webp or avif\n$/,
  );
  expect(await run()).toMatchObject({ code: 0 });
});

test('a plan with fresh seeds says that none of its images exists yet', async () => {
  const told = await plan('prompt\na fox\n', '--seeds', 'fresh');
  expect(told).toContain('rows without a seed get a new one in every batch, so none of their images exists yet');
  expect(JSON.parse(await plan('prompt\na fox\n', '--seeds', 'fresh', '--json'))).toMatchObject({ seeds: 'fresh' });
});

test('a plan does without damaged records of the store, and says so', async () => {
  const catalog = join(folder, 'catalog.csv');
  await writeFile(catalog, 'prompt\na fox\n');
  const store = join(folder, 'damaged');
  const { digest } = bundleRef(await chosenBundle('pixart-icons'));
  for (const name of [ratesName(digest), latestBatchName(pathToFileURL(catalog).href)]) {
    await mkdir(join(store, dirname(name)), { recursive: true });
    await writeFile(join(store, name), '{"format":2,"bun');
  }
  const args = ['plan', catalog, '--bundle', 'pixart-icons', '--store', store];
  const { code, stdout, stderr } = await runHere(args);
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('to render: 1') });
  expect(stderr).toMatch(
    /^no estimate is made: rates\/.* is damaged: expected a bundle's rates, found invalid or incomplete JSON/m,
  );
  expect(stderr).toMatch(/^changes since the last batch of the catalog are unknown: catalogs\/.* is damaged/m);
  const json = await runHere([...args, '--json']);
  expect(JSON.parse(json.stdout)).toMatchObject({
    jobs: 1,
    deviceSeconds: null,
    warnings: [expect.any(String), expect.any(String)],
  });
});

test("a plan shows what is left of the store's limits today, or that they cannot be read", async () => {
  const out = join(folder, 'limited');
  const store = await openStore(pathToFileURL(out).href);
  const limits = (text: string) => store.replace(LIMITS_NAME, Buffer.from(text), 'application/json');
  await limits('{"imagesPerDay": 2000, "megapixelsPerDay": 12.5}');
  const took = { images: 1_200, pixels: 2_250_000 };
  await takeFromDay(store, { imagesPerDay: 2_000 }, { batch: 'one', round: 1, run: 'r', at: new Date() }, took);
  const rows = 'prompt\na fox\n';
  expect(await plan(rows, '--store', out)).toMatch(
    /^left of this store's limits today: 800 of 2,000 images, 10\.25 of 12\.5 megapixels; reset at \d{4}-\d\d-\d\d \d\d:\d\d \([\w/+-]+\)$/m,
  );
  expect(JSON.parse(await plan(rows, '--store', out, '--json'))).toMatchObject({
    limits: { uses: [{ unit: 'images', limit: 2000, used: 1200, left: 800 }, { unit: 'megapixels' }] },
  });
  await limits('{"imagesPerDy": 2000}');
  expect(JSON.parse(await plan(rows, '--store', out, '--json')).warnings).toEqual([
    expect.stringMatching(/^what is left today is unknown: limits\.json .*imagesPerDy/),
  ]);
});

test('a plan says how it read the file', async () => {
  const told = async (name: string, bytes: Uint8Array | string, ...options: string[]) => {
    const catalog = join(folder, name);
    await writeFile(catalog, bytes);
    const { stdout } = await runHere([
      ...['plan', catalog, '--bundle', 'pixart-icons', '--store', join(folder, 'out'), ...options],
    ]);
    return /^read as: .*$/m.exec(stdout)?.[0];
  };
  expect(await told('a.csv', 'prompt\na fox\n')).toBe('read as: CSV with commas, UTF-8');
  expect(await told('a.csv', 'prompt\tseed\na fox\t1\n')).toBe('read as: CSV with tabs, UTF-8');
  expect(await told('a.csv', Buffer.from('Prompt;guidance;Art\na key;4,5;Schl\xfcssel\n', 'latin1'))).toBe(
    'read as: CSV with ";", Windows-1252 assumed, as in "Schlüssel"; if that is wrong, save the file as "CSV UTF-8"',
  );
  expect(await told('a.tsv', Buffer.from('\ufeffprompt\na fox\n', 'utf16le'))).toBe(
    'read as: a table with tabs, UTF-16',
  );
  expect(await told('a.jsonl', '{"prompt":"a fox"}\n')).toBe('read as: JSON lines, UTF-8');
  expect(await told('a.txt', 'a fox\n')).toBe('read as: a list of prompts, UTF-8');
});

test('a plan of a workbook says which sheet it read, and its notes refer to rows', async () => {
  const catalog = join(folder, 'icons.xlsx');
  await copyFile(new URL('../catalog/workbook/fixtures/libreoffice.xlsx', import.meta.url), catalog);
  const run = (...options: string[]) =>
    runHere(['plan', catalog, '--bundle', 'pixart-icons', '--store', join(folder, 'out'), ...options]);
  const { stdout } = await run();
  expect(stdout).toContain('2 rows, 2 jobs, 2 different images');
  expect(stdout).toContain(
    'read as: an Excel workbook, sheet Icons & Tiles; --sheet selects another: Lists, Zweites Blatt; its 1 hidden row is read too\n',
  );
  const other = await run('--sheet', 'Zweites Blatt', '--json');
  expect(JSON.parse(other.stdout)).toMatchObject({ rows: 1, readAs: { format: 'xlsx', sheet: 'Zweites Blatt' } });
  const missing = await run('--sheet', 'Sheet1');
  expect(missing).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('expected a sheet "Sheet1", found "Lists"'),
  });
});

test('a plan counts the rows that name nothing the bundle was trained to draw', async () => {
  const catalog = join(folder, 'beyond.csv');
  await writeFile(catalog, 'prompt\na glossy apple on a red background\nan oil painting of a castle\nHamlet\n');
  const run = (...options: string[]) =>
    runHere(['plan', catalog, '--bundle', 'pixart-icons', '--store', join(folder, 'out'), ...options]);
  expect((await run()).stderr).toBe(
    'warning: 2 rows with a prompt that names nothing that the model was trained to draw: 110 things such as apple, banana, strawberry ("bundle info" lists them): line 3, 4\n',
  );
  expect(JSON.parse((await run('--json')).stdout)).toMatchObject({
    undrawablePrompts: { rows: 2, firstLines: [3, 4] },
  });
});

test('a plan shows the first prompts as they will be rendered, one per set of variants, up to --show', async () => {
  const rows = 'id,prompt,negative_prompt,variants\nhero,a {flat|glossy} apple,blur,2\nlast,a pear,,1\n';
  expect(await plan(rows, '--expand')).toContain(
    'first prompts:\n  hero-flat-1    a flat apple (not: blur)\n  hero-glossy-1  a glossy apple (not: blur)\n  last           a pear\n',
  );
  expect(await plan(rows, '--show', '0')).not.toContain('first prompts');
  expect(JSON.parse(await plan(rows, '--expand', '--json', '--show', '1')).firstPrompts).toEqual([
    { id: 'hero-flat-1', line: 2, prompt: 'a flat apple', negativePrompt: 'blur' },
  ]);
});

test('a plan shows the names that a template makes, and the lines of rows with missing or equal names', async () => {
  const rows = 'id,prompt,category,seed\nGröße/äpfel-1,an apple,Obst,7\n图标/苹果,a pear,Obst,8\n';
  const named = ['--name', '{category}/{id}-{seed}.{ext}'];
  expect(await plan(rows, ...named)).toMatch(
    /Obst\/Größe\/äpfel-1-7\.png +an apple\n +Obst\/图标\/苹果-8\.png +a pear/,
  );
  expect(JSON.parse(await plan(rows, ...named, '--json')).firstPrompts[0]).toMatchObject({
    id: 'Größe/äpfel-1',
    copyAs: 'Obst/Größe/äpfel-1-7.png',
  });
  expect(JSON.parse(await plan(rows, '--json')).firstPrompts[0]).not.toHaveProperty('copyAs');

  const catalog = join(folder, 'unnamed.csv');
  await writeFile(catalog, 'id,prompt,category\na,an apple,\nb,a pear,Obst\nc,a plum,obst\n');
  const run = ['plan', catalog, '--bundle', 'pixart-icons', '--store', join(folder, 'out')];
  const { code, stderr } = await runHere([...run, '--name', '{category}.{ext}']);
  expect(code).toBe(2);
  expect(stderr.trim().split('\n').slice(1)).toEqual([
    '  line 2, --name: expected a name for every image, found nothing in category',
    '  line 4, --name: expected a name that no other row has, found "obst.png", already used in line 3',
  ]);
});
