import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { RendererDied, RendererUnusable } from '../../../models/renderer/index.ts';
import { isAlive, rendererOfThisTest, request, TINY_BUNDLE, type TinyRenderer, until } from './tiny-renderer.ts';

// Each test starts two processes or more; on a busy machine that takes a while.
vi.setConfig({ testTimeout: 180_000 });

/** Starts an image that takes a while, and resolves when a child computes it. */
async function longImage(renderer: TinyRenderer, signal?: AbortSignal): Promise<{ end: Promise<unknown> }> {
  let begun = (): void => {};
  const first = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const end = renderer.draw(request({ steps: 900 }), { signal, onStep: () => begun() });
  // Looked at later.
  end.catch(() => {});
  await Promise.race([first, end]);
  return { end };
}

test('two children compute two images at once, a third image waits, and each is what one child alone makes', async () => {
  const renderer = await rendererOfThisTest({ children: 2 });
  expect(renderer.pids).toHaveLength(2);
  let [inHand, most] = [0, 0];
  const images = await Promise.all(
    [7, 8, 9].map(async (seed) => {
      const image = await renderer.draw(request({ seed, steps: 40 }), {
        onBegin: () => {
          // After whoever gave the place back has heard of its image.
          setImmediate(() => {
            inHand += 1;
            most = Math.max(most, inHand);
          });
        },
      });
      inHand -= 1;
      return image;
    }),
  );
  expect(most).toBe(2);
  expect(images[0]!.deviceShare).toBeLessThan(1);
  const alone = await renderer.draw(request({ seed: 9, steps: 40 }));
  expect(alone.deviceShare).toBe(1);
  expect(Buffer.compare(images[2]!.rgb, alone.rgb)).toBe(0);
});

test('a child that is killed fails its own image only; the other one goes on, and the dead one is replaced', async () => {
  const renderer = await rendererOfThisTest({ children: 2 });
  const stop = new AbortController();
  const images = [await longImage(renderer, stop.signal), await longImage(renderer, stop.signal)];
  process.kill(renderer.pids[0]!, 'SIGKILL');
  const ends = images.map(({ end }) => end.catch((error: unknown) => error));
  expect(await Promise.race(ends)).toBeInstanceOf(RendererDied);
  await renderer.draw(request());
  expect(renderer.pids).toHaveLength(3);
  expect(isAlive(renderer.pids[1]!)).toBe(true);
  stop.abort(new Error('cancelled by the test'));
  const reasons = (await Promise.all(ends)).map((error) => String(error));
  expect(reasons.filter((reason) => reason.includes('cancelled by the test'))).toHaveLength(1);
});

test('close ends all children and fails the images in hand and those that wait', async () => {
  const renderer = await rendererOfThisTest({ children: 2 });
  const images = [await longImage(renderer), await longImage(renderer)];
  const waiting = renderer.draw(request());
  const ends = Promise.allSettled([...images.map(({ end }) => end), waiting]);
  await renderer.close();
  for (const end of await ends) expect(end).toMatchObject({ status: 'rejected', reason: expect.any(RendererDied) });
  expect(renderer.pids.filter(isAlive)).toEqual([]);
});

test('a child that cannot be replaced for the time being costs no image: the other one makes it', async () => {
  const renderer = await rendererOfThisTest({ children: 2 });
  const { execPath } = process;
  const isBack = (): void => {
    process.execPath = execPath;
  };
  onTestFinished(isBack);
  // Children are started with it.
  process.execPath = path.join(TINY_BUNDLE, 'no such program');
  process.kill(renderer.pids[0]!, 'SIGKILL');
  await until(() => !isAlive(renderer.pids[0]!));
  const images = await Promise.all([7, 8, 9].map((seed) => renderer.draw(request({ seed }))));
  for (const image of images) expect(image.deviceShare).toBe(1);
  expect(renderer.pids).toHaveLength(2);
  isBack();
  await until(() => renderer.pids.length === 3);
});

test('where no child can be replaced for the time being, images wait for one, and one that is cancelled does not', async () => {
  const failures: unknown[] = [];
  const renderer = await rendererOfThisTest({ children: 2, onFailedStart: (error) => failures.push(error) });
  const { execPath } = process;
  const isBack = (): void => {
    process.execPath = execPath;
  };
  onTestFinished(isBack);
  process.execPath = path.join(TINY_BUNDLE, 'no such program');
  for (const pid of renderer.pids) process.kill(pid, 'SIGKILL');
  await until(() => !renderer.pids.some(isAlive));
  const stop = new AbortController();
  const reason = new Error('cancelled by the test');
  const images = [7, 8, 9].map((seed) => renderer.draw(request({ seed })));
  const cancelled = renderer.draw(request(), { signal: stop.signal });
  await until(() => failures.length >= 3);
  for (const failure of failures)
    expect(failure).toMatchObject({ message: expect.stringContaining('no such program') });
  stop.abort(reason);
  await expect(cancelled).rejects.toBe(reason);
  isBack();
  await Promise.all(images);
  await until(() => renderer.pids.length === 4);
});

test('where no child can be replaced in many tries, the renderer is unusable and says why, and no image waits', async () => {
  const renderer = await rendererOfThisTest({ children: 2 });
  const { execPath } = process;
  onTestFinished(() => {
    process.execPath = execPath;
    vi.useRealTimers();
  });
  process.execPath = path.join(TINY_BUNDLE, 'no such program');
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  for (const pid of renderer.pids) process.kill(pid, 'SIGKILL');
  await until(() => !renderer.pids.some(isAlive));
  const image = renderer.draw(request()).catch((error: unknown) => error);
  // The pauses between two starts are the only timers here that are long.
  while (!renderer.unusable.aborted) {
    vi.advanceTimersByTime(10_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await image).toBeInstanceOf(RendererUnusable);
  expect(renderer.unusable.reason.message).toMatch(
    /started in 10 attempts; the last failure: .*no such program.*Check the device/,
  );
});
