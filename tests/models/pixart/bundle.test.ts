import { cp, mkdir, mkdtemp, readFile, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UserError } from '../../../domain/user-error.ts';
import { type BundleDescription, bundleFile, bundleRef, openBundle } from '../../../models/pixart/bundle.ts';
import { bundleFolder, listBundles, openBundles } from '../../../models/pixart/installed-bundles.ts';
import type { LcmConfig } from '../../../models/pixart/samplers/scheduler-config.ts';
import { verifyBundle } from '../../../models/pixart/verify-bundle.ts';
import { GOLDEN } from './golden-case.ts';

let home: string;
let folder: string;

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'bundles-'));
  folder = path.join(home, 'tiny');
  await cp(path.join(GOLDEN, 'bundles/tiny-epsilon'), folder, { recursive: true });
});

afterEach(() => rm(home, { recursive: true }));

async function describeAs(change: (description: BundleDescription) => unknown): Promise<void> {
  const file = path.join(folder, 'bundle.json');
  const description = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(file, JSON.stringify(change(description)));
}

function lcmOf({ scheduler }: BundleDescription): LcmConfig {
  const { trainSteps, betaSchedule, betaStart, betaEnd, prediction } = scheduler;
  const betas = { trainSteps, betaSchedule, betaStart, betaEnd, prediction };
  return { kind: 'lcm', ...betas, originalSteps: 50, timestepScaling: 10 };
}

describe('openBundle', () => {
  test('gives name, digest, sizes and defaults for planning', async () => {
    const ref = bundleRef(await openBundle(folder));
    expect(ref).toEqual({
      name: 'tiny-epsilon',
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      sizes: ['256'],
      defaults: { steps: 20, guidance: 4.5 },
      maxSteps: 999,
      encoder: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  test('tells how many steps its sampler takes', async () => {
    await describeAs((description) => ({ ...description, scheduler: lcmOf(description) }));
    expect(bundleRef(await openBundle(folder)).maxSteps).toBe(50);
  });

  test('gives another digest for a description that differs in one character', async () => {
    const before = (await openBundle(folder)).digest;
    await describeAs((description) => ({ ...description, description: `${description.description}.` }));
    expect((await openBundle(folder)).digest).not.toBe(before);
  });

  test('a scheduler that names no sampler means DPM-Solver++, also where it is named', async () => {
    const { scheduler } = (await openBundle(folder)).description;
    expect(scheduler.kind).toBeUndefined();
    await describeAs((description) => ({
      ...description,
      scheduler: { ...description.scheduler, kind: 'dpm-solver++' },
    }));
    expect((await openBundle(folder)).description.scheduler).toEqual({ ...scheduler, kind: 'dpm-solver++' });
  });

  test('reads which networks have graphs for CUDA, which are listed then', async () => {
    expect((await openBundle(folder)).description.cuda).toBeUndefined();
    const cuda = { transformer: { error: 7e-4, psnr: 79.5 } };
    await describeAs((description) => ({ ...description, cuda }));
    await expect(openBundle(folder)).rejects.toThrow(/transformer\.cuda\.onnx is not listed/);
    const files = { 'transformer.cuda.onnx': { sha256: 'a'.repeat(64), bytes: 1 } };
    await describeAs((description) => ({ ...description, files: { ...description.files, ...files } }));
    expect((await openBundle(folder)).description.cuda).toEqual(cuda);
    await describeAs(({ cuda: _, ...description }) => description);
    await expect(openBundle(folder)).rejects.toThrow(/transformer\.cuda\.onnx is listed, but not described/);
  });

  test('reads how weights are stored, where a bundle says so', async () => {
    expect((await openBundle(folder)).description.precision).toBeUndefined();
    const precision = {
      textEncoder: { weights: 'bf16', error: 1e-3 },
      transformer: { weights: 'fp16', error: 2e-4 },
      vae: { weights: 'fp32', error: 0 },
    } as const;
    await describeAs((description) => ({ ...description, precision }));
    expect((await openBundle(folder)).description.precision).toEqual(precision);
    const unknown = { ...precision, vae: { weights: 'fp8', error: 0 } };
    await describeAs((description) => ({ ...description, precision: unknown }));
    await expect(openBundle(folder)).rejects.toThrow(/precision\.vae\.weights/);
  });

  test('says what is no bundle', async () => {
    await expect(openBundle(home)).rejects.toThrow(/is not a bundle: expected a file bundle\.json/);
    await expect(openBundle(home)).rejects.toThrow(UserError);
    await rm(path.join(folder, 'bundle.json'));
    await mkdir(path.join(folder, 'bundle.json'));
    await expect(openBundle(folder)).rejects.toThrow(/is not a bundle: expected a file bundle\.json/);
  });

  test('says what is not JSON', async () => {
    await writeFile(path.join(folder, 'bundle.json'), '{"format": 1');
    await expect(openBundle(folder)).rejects.toThrow(/bundle\.json is not JSON/);
  });

  test.each<[string, (description: BundleDescription) => unknown, RegExp]>([
    ['a format of the future', (d) => ({ ...d, format: 3 }), /format/],
    ['a format of the past', (d) => ({ ...d, format: 1 }), /expected 2, found 1: export the checkpoint again/],
    ['an unknown field', (d) => ({ ...d, sheduler: {} }), /sheduler/],
    ['an unknown size', (d) => ({ ...d, sizes: { ...d.sizes, '8k': d.sizes['256'] } }), /8k/],
    ['no size', (d) => ({ ...d, sizes: {} }), /at least one size/],
    ['an unknown schedule', (d) => ({ ...d, scheduler: { ...d.scheduler, betaSchedule: 'cosine' } }), /betaSchedule/],
    [
      'a shift that diffusers would not add',
      (d) => ({ ...d, vae: { ...d.vae, shift: 0.1 } }),
      /expected 0, found 0\.1: export the checkpoint again.*\n.*vae\.shift/,
    ],
    ['a graph that is not listed', (d) => ({ ...d, files: { 'tokenizer.json': d.files['tokenizer.json'] } }), /onnx/],
    [
      'a file in another folder',
      (d) => ({ ...d, files: { ...d.files, '../x': d.files['tokenizer.json'] } }),
      /\.\.\/x/,
    ],
    [
      'an unknown sampler',
      (d) => ({ ...d, scheduler: { ...d.scheduler, kind: 'heun' } }),
      /expected dpm-solver\+\+, euler, lcm or no kind, found "heun": update pixart-batch, or export .*docs\/exporting\.md\)\n.*scheduler\.kind/,
    ],
    [
      'more steps than its sampler takes',
      (d) => ({ ...d, scheduler: lcmOf(d), defaults: { ...d.defaults, steps: 51 } }),
      /expected at most 50, the most that sampler lcm supports, found 51\n.*defaults\.steps/,
    ],
    [
      'a default guidance beyond that of rows',
      (d) => ({ ...d, defaults: { ...d.defaults, guidance: 30.5 } }),
      /expected number to be <=30\n.*defaults\.guidance/,
    ],
    ['an order for Euler', (d) => ({ ...d, scheduler: { ...d.scheduler, kind: 'euler', order: 2 } }), /"order"/],
    [
      'a spacing for LCM',
      (d) => ({ ...d, scheduler: { ...lcmOf(d), spacing: 'trailing' } }),
      /Unrecognized key: "spacing"/,
    ],
    ['LCM without its steps', (d) => ({ ...d, scheduler: { ...lcmOf(d), originalSteps: undefined } }), /originalSteps/],
    [
      'LCM distilled at more steps than it was trained at',
      (d) => ({ ...d, scheduler: { ...lcmOf(d), originalSteps: 1001 } }),
      /at most trainSteps/,
    ],
  ])('refuses %s and names it', async (_, change, message) => {
    await describeAs(change);
    const opening = openBundle(folder);
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toThrow(UserError);
  });

  test('never gives the path of a file that is not listed', async () => {
    const bundle = await openBundle(folder);
    expect(() => bundleFile(bundle, 'bundle.json')).toThrow(/not listed/);
    expect(() => bundleFile(bundle, 'toString')).toThrow(/not listed/);
  });
});

test('a mistyped name of an installed bundle is refused with the one that was meant', async () => {
  await expect(bundleFolder('pixart-icnos')).rejects.toThrow(/expected .*\. Did you mean pixart-icons\?$/);
  await expect(bundleFolder('pixart-oil-paintings')).rejects.not.toThrow('Did you mean');
});

describe('verifyBundle', () => {
  test('accepts a whole bundle', async () => {
    await expect(verifyBundle(await openBundle(folder))).resolves.toBeUndefined();
  });

  test('finds one changed byte, wherever it is, and names the file and both digests', async () => {
    const file = path.join(folder, 'caption_projection.onnx');
    const bytes = await readFile(file);
    const bundle = await openBundle(folder);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const changed = Buffer.from(bytes);
        changed[at]! ^= change;
        await writeFile(file, changed);
        await expect(verifyBundle(bundle)).rejects.toThrow(
          /caption_projection\.onnx: expected SHA-256 [0-9a-f]{64}, found [0-9a-f]{64}/,
        );
      }),
      { numRuns: 20 },
    );
  });

  test('reports every missing and shortened file at once', async () => {
    const bundle = await openBundle(folder);
    await unlink(path.join(folder, 'transformer.onnx'));
    await truncate(path.join(folder, 'tokenizer.json'), 10);
    const verifying = verifyBundle(bundle);
    await expect(verifying).rejects.toThrow(/transformer\.onnx: expected a file, found none/);
    await expect(verifying).rejects.toThrow(/tokenizer\.json: expected \d+ bytes, found 10/);
    await expect(verifying).rejects.toThrow(UserError);
  });
});

describe('bundleFolder', () => {
  const before = process.env.PIXART_BATCH_BUNDLES;

  beforeEach(() => {
    process.env.PIXART_BATCH_BUNDLES = home;
  });

  afterEach(() => {
    if (before === undefined) delete process.env.PIXART_BATCH_BUNDLES;
    else process.env.PIXART_BATCH_BUNDLES = before;
  });

  test('finds a bundle by name and by path', async () => {
    expect(await bundleFolder('tiny')).toBe(folder);
    expect(await bundleFolder(folder)).toBe(folder);
    expect((await listBundles()).get('tiny')).toBe(folder);
  });

  test('opens all that are installed, and says why one is refused that does not hide the others', async () => {
    const broken = path.join(home, 'broken');
    await mkdir(broken);
    await writeFile(path.join(broken, 'bundle.json'), '{}');
    const refused: string[] = [];
    const opened = await openBundles(({ message }) => refused.push(message));
    expect(opened.map((bundle) => bundle.folder)).toContain(folder);
    expect(refused).toEqual([expect.stringContaining(broken)]);
  });

  test('says which of the folders to look in does not exist', async () => {
    const typo = path.join(home, 'bundels');
    process.env.PIXART_BATCH_BUNDLES = [home, typo].join(path.delimiter);
    await expect(bundleFolder('tiny')).rejects.toThrow(
      `PIXART_BATCH_BUNDLES: expected folders of bundles, found none at ${typo}`,
    );
  });

  test('lists what is installed where a name is unknown', async () => {
    await expect(bundleFolder('tinny')).rejects.toThrow(/"tinny": expected .*\btiny\b/);
  });
});
