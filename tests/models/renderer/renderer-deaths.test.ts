import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { UserError } from '../../../domain/user-error.ts';
import {
  RendererBug,
  RendererDied,
  RendererUnusable,
  RenderTooLong,
  startRenderer,
} from '../../../models/renderer/index.ts';
import { addStrayData } from '../pixart/stray-data.ts';
import { isAlive, rendererOfThisTest, request, TINY_BUNDLE, until } from './tiny-renderer.ts';

// Each test starts one or two processes; on a busy machine that takes a while.
vi.setConfig({ testTimeout: 180_000 });

/** A copy of the tiny bundle that a test may damage. */
async function ownBundle(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pixart-bundle-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await cp(TINY_BUNDLE, folder, { recursive: true });
  return folder;
}

async function changeOneByte(file: string): Promise<void> {
  const bytes = await readFile(file);
  bytes[bytes.length >> 1]! ^= 1;
  await writeFile(file, bytes);
}

test('a bundle of which a graph loads a file that it does not list is refused before anything is rendered', async () => {
  const bundleFolder = await ownBundle();
  await addStrayData(bundleFolder, 'weights.bin');
  const starting = startRenderer({ bundleFolder, device: 'cpu', threads: 1 });
  await expect(starting).rejects.toThrow(UserError);
  await expect(starting).rejects.toThrow(
    /vae_decoder\.onnx: it loads "weights\.bin", which bundle\.json does not list/,
  );
});

test('a child killed in the middle of an image fails that image only; another child renders the next', async () => {
  const renderer = await rendererOfThisTest();
  const render = renderer.draw(request({ steps: 900 }), {
    onStep: (step) => {
      if (step === 3) process.kill(renderer.pids[0]!, 'SIGKILL');
    },
  });
  await expect(render).rejects.toThrow(RendererDied);
  await expect(render).rejects.toThrow(/ended by SIGKILL/);
  await renderer.draw(request());
  expect(renderer.pids).toHaveLength(2);
});

test('a child that ends while a picture is to be decoded whole leaves a word on memory', async () => {
  const renderer = await rendererOfThisTest();
  const render = renderer.draw(request({ steps: 900, decode: 'whole' }), {
    onStep: (step) => {
      if (step === 3) process.kill(renderer.pids[0]!, 'SIGKILL');
    },
  });
  await expect(render).rejects.toThrow(RendererDied);
  await expect(render).rejects.toThrow(
    /ended by SIGKILL .*; its image was to be decoded in one piece.*--decode tiled/s,
  );
});

test('a child that died while it had nothing to do costs no image', async () => {
  const renderer = await rendererOfThisTest();
  process.kill(renderer.pids[0]!, 'SIGKILL');
  await until(() => !isAlive(renderer.pids[0]!));
  await renderer.draw(request());
  expect(renderer.pids).toHaveLength(2);
});

test('a render that comes while a child is being replaced waits for that child, also where another has given up', async () => {
  const renderer = await rendererOfThisTest();
  process.kill(renderer.pids[0]!, 'SIGKILL');
  await until(() => !isAlive(renderer.pids[0]!));
  const impatient = new AbortController();
  const reason = new Error('cancelled by the test');
  const first = renderer.draw(request(), { signal: impatient.signal });
  const second = renderer.draw(request());
  await sleep(100);
  impatient.abort(reason);
  await expect(first).rejects.toBe(reason);
  await second;
  expect(renderer.pids).toHaveLength(2);
});

test('a child that does not stop when its image is cancelled is killed and replaced', async () => {
  const renderer = await rendererOfThisTest();
  const cancellation = new AbortController();
  const reason = new Error('cancelled by the test');
  const render = renderer.draw(request({ steps: 900 }), {
    signal: cancellation.signal,
    onStep: (step) => {
      if (step !== 3) return;
      // A stopped process is as deaf as one that hangs in a driver.
      process.kill(renderer.pids[0]!, 'SIGSTOP');
      cancellation.abort(reason);
    },
  });
  await expect(render).rejects.toBe(reason);
  expect(isAlive(renderer.pids[0]!)).toBe(false);
  await renderer.draw(request());
  expect(renderer.pids).toHaveLength(2);
});

test('a child that hangs is ended once its image had the time that it may have, and the next image has another', async () => {
  const renderer = await rendererOfThisTest();
  const render = renderer.draw(request({ steps: 900 }), {
    limitMs: 2_000,
    onStep: (step) => step === 3 && process.kill(renderer.pids[0]!, 'SIGSTOP'),
  });
  await expect(render).rejects.toThrow(RenderTooLong);
  await renderer.draw(request());
  expect(renderer.pids).toHaveLength(2);
});

test('a child that fails for another reason while its image is cancelled is replaced all the same', async () => {
  const renderer = await rendererOfThisTest();
  const cancellation = new AbortController();
  const render = renderer.draw(request({ seed: 7n as unknown as number }), {
    signal: cancellation.signal,
    // Once the request is on its way.
    onBegin: () => queueMicrotask(() => cancellation.abort(new Error('cancelled by the test'))),
  });
  await expect(render).rejects.toThrow(RendererBug);
  await renderer.draw(request());
  expect(renderer.pids).toHaveLength(2);
});

test('close ends the child and fails the image in hand', async () => {
  const renderer = await rendererOfThisTest();
  const render = renderer.draw(request({ steps: 900 }), {
    onStep: (step) => {
      if (step === 3) void renderer.close();
    },
  });
  await expect(render).rejects.toThrow(/the renderer was closed/);
  expect(isAlive(renderer.pids[0]!)).toBe(false);
  await expect(renderer.draw(request())).rejects.toThrow(RendererDied);
});

test('a start that is aborted rejects with the reason and leaves no process', async () => {
  const stop = new AbortController();
  const starting = startRenderer({ bundleFolder: TINY_BUNDLE, device: 'cpu', signal: stop.signal });
  const hasChild = (): boolean => process.getActiveResourcesInfo().includes('ProcessWrap');
  await until(hasChild);
  const reason = new Error('told to stop');
  stop.abort(reason);
  await expect(starting).rejects.toBe(reason);
  await until(() => !hasChild());
});

test('a bundle with one byte changed is a UserError that names the file', async () => {
  const bundleFolder = await ownBundle();
  await changeOneByte(path.join(bundleFolder, 'transformer.onnx'));
  const starting = startRenderer({ bundleFolder, device: 'cpu' });
  await expect(starting).rejects.toThrow(UserError);
  await expect(starting).rejects.toThrow(/transformer\.onnx/);
});

test('a bundle that is damaged after the start costs no attempt, and the renderer says that it is unusable', async () => {
  const bundleFolder = await ownBundle();
  const renderer = await rendererOfThisTest({ bundleFolder });
  await changeOneByte(path.join(bundleFolder, 'vae_decoder.onnx'));
  process.kill(renderer.pids[0]!, 'SIGKILL');
  await until(() => !isAlive(renderer.pids[0]!));
  await expect(renderer.draw(request())).rejects.toThrow(RendererUnusable);
  expect(renderer.unusable.reason.message).toMatch(/vae_decoder\.onnx/);
});

test('a bundle that is exchanged for another one after the start makes the renderer unusable', async () => {
  const bundleFolder = await ownBundle();
  const renderer = await rendererOfThisTest({ bundleFolder });
  await cp(path.join(TINY_BUNDLE, '..', 'tiny-epsilon'), bundleFolder, { recursive: true, force: true });
  process.kill(renderer.pids[0]!, 'SIGKILL');
  await until(() => !isAlive(renderer.pids[0]!));
  await expect(renderer.draw(request())).rejects.toThrow(RendererUnusable);
  expect(renderer.unusable.reason.message).toMatch(/changed while it was in use/);
});
