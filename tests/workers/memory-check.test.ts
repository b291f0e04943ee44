import { cp, mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { UserError } from '../../domain/user-error.ts';
import { type Bundle, openBundle } from '../../models/pixart/index.ts';
import { mostChildren } from '../../models/renderer/index.ts';
import { checkEncoderMemory, checkMemory } from '../../workers/memory-check.ts';

const TINY = fileURLToPath(new URL('../golden/bundles/tiny-velocity', import.meta.url));
const log = pino({ level: 'silent' });

/** Far more than any machine has. */
const HUGE = 2 ** 50;

async function copy(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pixart-memory-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await cp(TINY, folder, { recursive: true });
  return folder;
}

/** A bundle without its text encoder's files, which are huge by what it says of them. */
async function withoutHugeEncoder(): Promise<Bundle> {
  const folder = await copy();
  await rm(path.join(folder, 'text_encoder.onnx'));
  const bundle = await openBundle(folder);
  bundle.description.files['text_encoder.onnx']!.bytes = HUGE;
  return bundle;
}

test('a worker that renders from kept captions needs no memory for the text encoder', async () => {
  const bundle = await withoutHugeEncoder();
  await checkMemory(bundle, ['256'], { children: 1, hasEncoder: false }, log);
  await expect(checkMemory(bundle, ['256'], { children: 1, hasEncoder: true }, log)).rejects.toThrow(
    /1 renderer process and the text encoder .*--without-text-encoder/,
  );
  expect(await mostChildren(bundle, ['256'], { hasEncoder: true })).toBe(1);
  expect(await mostChildren(bundle, ['256'], { hasEncoder: false })).toBeGreaterThan(1);
});

test('a worker that only encodes is refused where its encoder has no room', async () => {
  await expect(checkEncoderMemory(await withoutHugeEncoder())).rejects.toThrow(UserError);
  await checkEncoderMemory(await openBundle(TINY));
});

test('every process counts', async () => {
  const processes = { children: 1_000_000, hasEncoder: false };
  await expect(checkMemory(await openBundle(TINY), ['256'], processes, log)).rejects.toThrow(
    /1000000 renderer processes of bundle .*--children/,
  );
});

test.each([0, 100])('a graph that is damaged is left to who verifies it (%i bytes of it)', async (bytes) => {
  const folder = await copy();
  await truncate(path.join(folder, 'transformer.onnx'), bytes);
  await checkMemory(await openBundle(folder), ['256'], { children: 1, hasEncoder: true }, log);
  await rm(path.join(folder, 'transformer.onnx'));
  await checkMemory(await openBundle(folder), ['256'], { children: 1, hasEncoder: true }, log);
});
