import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runHere } from '../cli/run-here.ts';
import { expectCode, type Finished, jsonLines, pixartBatch, ROOT } from './command-line.ts';
import { createWorkplace, type Workplace } from './workplace.ts';

let place: Workplace;

beforeAll(async () => {
  place = await createWorkplace();
});

afterAll(() => place.remove());

const run = (...args: string[]): Promise<Finished> => pixartBatch(args, place.environment);
const here = (...args: string[]): Promise<Finished> => runHere(args, place.environment);
const file = (name: string): string => join(place.folder, name);

test.each(['png', 'webp'])('an image tells what made it, and is made again byte for byte, as %s', async (ending) => {
  const [first, again] = [file(`first.${ending}`), file(`again.${ending}`)];
  const options = ['--aspect', '3:4', '--seed', '7', '--steps', '3', '--negative-prompt', 'fog'];
  expectCode(0, await run('render', 'a fox 🦊 & <more>', ...options, '--out', first));
  const [told] = jsonLines(expectCode(0, await here('inspect', first, '--json')));
  const made = { prompt: 'a fox 🦊 & <more>', negativePrompt: 'fog', size: '256', seed: 7, steps: 3 };
  expect(told).toMatchObject({ file: first, ...made, bundleName: expect.stringContaining('tiny') });
  expectCode(0, await here('render', '--like', first, '--out', again));
  expect(await readFile(again)).toEqual(await readFile(first));

  const other = file(`other.${ending}`);
  expectCode(0, await here('render', '--like', first, '--seed', '8', '--aspect', '1:1', '--out', other));
  const [changed] = jsonLines(expectCode(0, await here('inspect', other, '--json')));
  expect(changed).toMatchObject({ ...made, seed: 8, width: 256, height: 256 });
});

test('at another size an image keeps its shape; who reads of it and has seen enough ends the command quietly', async () => {
  const [wide, larger] = [file('wide.png'), file('larger.png')];
  expectCode(0, await here('render', 'a fox', '--aspect', '16:9', '--steps', '2', '--out', wide));
  expectCode(0, await here('render', '--like', wide, '--size', '512', '--out', larger));
  const [small, large] = jsonLines(expectCode(0, await here('inspect', wide, larger, '--json'))) as {
    width: number;
    height: number;
  }[];
  expect(large!.width / large!.height).toBeCloseTo(small!.width / small!.height, 1);
  expect(large!.width).toBeGreaterThan(small!.width);

  const piped = `"${process.execPath}" cli/bin.mjs inspect ${`"${wide}" `.repeat(20)} | true; exit "\${PIPESTATUS[0]}"`;
  const { status, stderr } = spawnSync('bash', ['-c', piped], { cwd: ROOT, encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 141, stderr: '' });
});

test('a picture of somebody else is refused, by inspect and as a model', async () => {
  const foreign = file('foreign.png');
  await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } }).toFile(foreign);
  for (const args of [
    ['inspect', foreign],
    ['render', '--like', foreign],
  ]) {
    expect(expectCode(2, await here(...args)).stderr).toContain('expected an image that pixart-batch made');
  }
  expect(expectCode(2, await here('inspect', file('none.png'))).stderr).toContain('none.png');
  expect(expectCode(2, await here('render')).stderr).toContain('expected a prompt');
});
