import { cp, mkdtemp, rm, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { UserError } from '../../../domain/user-error.ts';
import { loadCaptionEncoder, openBundle, verifyBundle, verifyPart } from '../../../models/pixart/index.ts';
import { createEncoder, type EncoderOptions, RendererDied, startRenderer } from '../../../models/renderer/index.ts';
import { addStrayData } from '../pixart/stray-data.ts';
import { isAlive, TINY_BUNDLE, until } from './tiny-renderer.ts';

// Each test starts one or two processes; on a busy machine that takes a while.
vi.setConfig({ testTimeout: 180_000 });

const IDS = [5, 9, 1];

function encoderOfThisTest(options: Partial<EncoderOptions> = {}) {
  const pids: number[] = [];
  const encoder = createEncoder({
    ...{ bundleFolder: TINY_BUNDLE, device: 'cpu', threads: 1 },
    onStart: ({ pid }) => pids.push(pid),
    ...options,
  });
  onTestFinished(() => encoder.close());
  return { ...encoder, pids };
}

/** A copy of the tiny bundle without some of its files. */
async function bundleWithout(...files: string[]): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pixart-bundle-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await cp(TINY_BUNDLE, folder, { recursive: true });
  for (const file of files) await unlink(path.join(folder, file));
  return folder;
}

test('the child gives what the networks give in this process, and lives only while there are texts', async () => {
  let idle = 0;
  const encoder = encoderOfThisTest({
    idleMs: 50,
    onIdle: () => {
      idle += 1;
    },
  });
  expect(encoder.pids).toEqual([]);
  const networks = await loadCaptionEncoder(await openBundle(TINY_BUNDLE), { device: 'cpu', threads: 1 });
  const times: number[] = [];
  const found = await encoder.encode(IDS, { onEncoded: (ms) => times.push(ms) });
  expect(times).toEqual([expect.any(Number)]);
  expect(found).toEqual(await networks.encode(IDS));
  await networks.dispose();
  await until(() => idle === 1);
  expect(isAlive(encoder.pids[0]!)).toBe(false);
  expect(await encoder.encode(IDS)).toEqual(found);
  expect(encoder.pids).toHaveLength(2);
});

test('the child also ends when the last text that waited for it was cancelled', async () => {
  let idle = 0;
  const encoder = encoderOfThisTest({
    idleMs: 50,
    onIdle: () => {
      idle += 1;
    },
  });
  const cancelled = new AbortController();
  const first = encoder.encode(IDS);
  const second = encoder.encode(IDS, { signal: cancelled.signal });
  cancelled.abort(new Error('cancelled'));
  await expect(second).rejects.toThrow('cancelled');
  await first;
  await until(() => idle === 1);
  expect(isAlive(encoder.pids[0]!)).toBe(false);
});

test('a child that is killed costs the text in hand and no other, and who is cancelled need not wait', async () => {
  const encoder = encoderOfThisTest();
  await encoder.encode(IDS);
  // A stopped process has a text in hand for as long as it likes.
  process.kill(encoder.pids[0]!, 'SIGSTOP');
  const cancelled = new AbortController();
  const first = encoder.encode(IDS, { signal: cancelled.signal });
  const second = encoder.encode(IDS);
  // The first one's turn comes a few microtasks later.
  await turn();
  cancelled.abort(new Error('cancelled by the test'));
  await expect(first).rejects.toThrow('cancelled by the test');
  process.kill(encoder.pids[0]!, 'SIGKILL');
  expect((await second).tokens).toBe(IDS.length);
  expect(encoder.pids).toHaveLength(2);
});

test('who encodes needs nothing of the painter, and who paints nothing of the encoder', async () => {
  const encoderOnly = await bundleWithout('transformer.onnx', 'vae_decoder.onnx');
  expect((await encoderOfThisTest({ bundleFolder: encoderOnly }).encode(IDS)).tokens).toBe(IDS.length);
  const painterOnly = await bundleWithout('text_encoder.onnx', 'caption_projection.onnx');
  const renderer = await startRenderer({ bundleFolder: painterOnly, device: 'cpu', threads: 1 });
  await renderer.close();
  await expect(verifyPart(await openBundle(painterOnly), 'reader')).resolves.toBeUndefined();
  for (const folder of [encoderOnly, painterOnly]) {
    await expect(verifyBundle(await openBundle(folder))).rejects.toThrow(/expected a file, found none/);
  }
});

test('an encoder whose files are gone fails attempts, not jobs, and says that it is unusable', async () => {
  const encoder = encoderOfThisTest({ bundleFolder: await bundleWithout('text_encoder.onnx') });
  await expect(encoder.encode(IDS)).rejects.toThrow(RendererDied);
  expect(encoder.unusable.reason).toBeInstanceOf(UserError);
  expect(encoder.unusable.reason.message).toMatch(/text_encoder\.onnx: expected a file, found none/);
});

test('a painter’s graph that loads a file of another name has it verified with the painter', async () => {
  const folder = await bundleWithout();
  await addStrayData(folder, 'weights.bin');
  await expect(verifyPart(await openBundle(folder), 'painter')).rejects.toThrow(/which bundle\.json does not list/);
  await expect(verifyPart(await openBundle(folder), 'encoder')).resolves.toBeUndefined();
});
