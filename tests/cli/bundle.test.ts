import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GOLDEN } from '../models/pixart/golden-case.ts';
import { addStrayData } from '../models/pixart/stray-data.ts';
import { runHere } from './run-here.ts';

let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'bundles-'));
  await cp(join(GOLDEN, 'bundles/tiny-epsilon'), join(home, 'mine'), { recursive: true });
  await mkdir(join(home, 'broken'));
  await writeFile(join(home, 'broken/bundle.json'), '{');
});

afterAll(() => rm(home, { recursive: true }));

test('the first shipped bundle is the default if no other is installed; otherwise one must be chosen', async () => {
  expect(await runHere(['bundle', 'verify'])).toMatchObject({ code: 0, stdout: 'pixart-icons: intact\n' });
  const several = await runHere(['bundle', 'verify'], { PIXART_BATCH_BUNDLES: home });
  expect(several).toMatchObject({ code: 2, stderr: expect.stringMatching(/several are installed: .*mine.*--bundle/) });
});

test('"bundle info" lists the names that --bundle accepts, and a broken bundle does not hide others', async () => {
  const { code, stdout, stderr } = await runHere(['bundle', 'info'], { PIXART_BATCH_BUNDLES: home });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^mine \(tiny-epsilon\): /m);
  expect(stdout).toMatch(/^pixart-icons: /m);
  expect(stderr).toMatch(/broken.*bundle\.json is not JSON/);
});

test('"bundle info" shows the precision of the weights and its error, if the bundle records them', async () => {
  const folder = join(home, 'quantised');
  await cp(join(GOLDEN, 'bundles/tiny-epsilon'), folder, { recursive: true });
  const file = join(folder, 'bundle.json');
  const precision = {
    textEncoder: { weights: 'int4', error: 0.0314 },
    transformer: { weights: 'int8', error: 0.02 },
    vae: { weights: 'fp32', error: 1.2e-6 },
  };
  await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), precision }));
  const { stdout } = await runHere(['bundle', 'info', folder]);
  expect(stdout).toMatch(
    / {2}weights {3}text encoder int4 \(error 3\.1e-2\), transformer int8 \(error 2\.0e-2\), VAE fp32 \(error 1\.2e-6\)\n/,
  );
  const [told] = JSON.parse((await runHere(['bundle', 'info', folder, '--json'])).stdout);
  expect(told.precision).toEqual(precision);
  const earlier = join(GOLDEN, 'bundles/tiny-epsilon');
  expect((await runHere(['bundle', 'info', earlier])).stdout).toMatch(/ {2}weights {3}unknown\n/);
  expect(JSON.parse((await runHere(['bundle', 'info', earlier, '--json'])).stdout)[0].precision).toBeNull();
});

test('"bundle verify" fails on a file that a graph loads and the bundle does not list', async () => {
  const folder = join(home, 'stray');
  await cp(join(GOLDEN, 'bundles/tiny-epsilon'), folder, { recursive: true });
  await addStrayData(folder, 'weights.bin');
  const { code, stdout, stderr } = await runHere(['bundle', 'verify', folder]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/does not match its list of files:\n.*"weights\.bin".*\nExport the checkpoint again/);
});

test('"bundle info --json" gives memory in whole bytes', async () => {
  const { stdout } = await runHere(['bundle', 'info', 'pixart-icons', '--json']);
  const [{ memory }] = JSON.parse(stdout);
  const peaks = [memory.textEncoder, ...Object.values(memory.painter)];
  expect(peaks).toHaveLength(6);
  expect(peaks.filter((bytes) => !Number.isInteger(bytes) || bytes < 2 ** 20)).toEqual([]);
});
