import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { openBundle, type RequestCaptions, type SamplerState } from '../../../models/pixart/index.ts';
import { RendererBug, RendererDied, RendererOutOfMemory } from '../../../models/renderer/index.ts';
import { isAlive, rendererOfThisTest, request, TINY_BUNDLE, type TinyRenderer, until } from './tiny-renderer.ts';

// Each test starts one process or more; on a busy machine that takes a while.
vi.setConfig({ testTimeout: 180_000 });

const { description } = await openBundle(TINY_BUNDLE);
const fourAtOnce = () => rendererOfThisTest({ microBatch: { images: 4, description } });

const seeds = [1, 2, 3, 4];

function worstDifference(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0);
}

/** Draws images of these seeds at once; resolves their outcomes and the steps that each has heard of. */
async function drawAll(renderer: TinyRenderer, steps: number, onStep: (seed: number, step: number) => void = () => {}) {
  const heard = new Map(seeds.map((seed) => [seed, [] as number[]]));
  const states = (seed: number) => ({ everyMs: 0, onState: (state: SamplerState) => latest.set(seed, state) });
  const latest = new Map<number, SamplerState>();
  const outcomes = await Promise.allSettled(
    seeds.map((seed) =>
      renderer.draw(request({ seed, steps }), {
        states: states(seed),
        onStep: (step) => {
          heard.get(seed)!.push(step);
          onStep(seed, step);
        },
      }),
    ),
  );
  return { outcomes, heard };
}

test('one child computes four images at once, each within a level of what it is alone, and a fifth waits', async () => {
  const renderer = await fourAtOnce();
  const images = await Promise.all([...seeds, 5].map((seed) => renderer.draw(request({ seed, steps: 30 }))));
  expect(images.map(({ microBatch }) => microBatch)).toEqual([4, 4, 4, 4, undefined]);
  expect(images[4]!.waitMs).toBeGreaterThan(images[0]!.waitMs);
  for (const [i, seed] of seeds.entries()) {
    const alone = await renderer.draw(request({ seed, steps: 30 }));
    expect(alone.microBatch).toBeUndefined();
    expect(worstDifference(images[i]!.rgb, alone.rgb)).toBeLessThanOrEqual(1);
  }
});

test('an image that fills a call has a child to itself', async () => {
  const renderer = await fourAtOnce();
  const large = { bin: { height: 1040, width: 1024 }, width: 64, height: 64, steps: 1 } as const;
  let [inHand, most] = [0, 0];
  const both = [request({ steps: 20 }), request(large)].map(async (asked) => {
    await renderer.draw(asked, {
      onBegin: () => {
        // After whoever gave the place back has heard of its image.
        setImmediate(() => {
          inHand += 1;
          most = Math.max(most, inHand);
        });
      },
    });
    inHand -= 1;
  });
  await Promise.all(both);
  expect(most).toBe(1);
});

test('a cancelled image stops, and those beside it go on in the same child', async () => {
  const renderer = await fourAtOnce();
  const stop = new AbortController();
  const reason = new Error('cancelled by the test');
  const others = [1, 2].map((seed) => renderer.draw(request({ seed, steps: 60 })));
  const cancelled = renderer.draw(request({ seed: 3, steps: 60 }), {
    signal: stop.signal,
    onStep: (step) => step === 3 && stop.abort(reason),
  });
  await expect(cancelled).rejects.toBe(reason);
  for (const { microBatch } of await Promise.all(others)) expect(microBatch).toBe(3);
  expect(renderer.pids).toHaveLength(1);
});

test('a killed child costs none of its images: each goes on by itself from its last state', async () => {
  const renderer = await fourAtOnce();
  let isKilled = false;
  const { outcomes, heard } = await drawAll(renderer, 60, (_, step) => {
    if (step === 20 && !isKilled) process.kill(renderer.pids[0]!, 'SIGKILL');
    isKilled ||= step === 20;
  });
  expect(outcomes.map(({ status }) => status)).toEqual(seeds.map(() => 'fulfilled'));
  for (const steps of heard.values()) {
    expect(steps.at(-1)).toBe(60);
    // Not from the first step on.
    expect(steps.filter((step) => step === 1)).toHaveLength(1);
  }
  expect(renderer.pids).toHaveLength(2);
});

test('an image that kills its child each time fails alone, and those beside it are made', async () => {
  const renderer = await fourAtOnce();
  const { outcomes } = await drawAll(renderer, 40, (seed, step) => {
    if (seed === 3 && step >= 10) process.kill(renderer.pids.findLast(isAlive)!, 'SIGKILL');
  });
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  expect((outcomes[2] as PromiseRejectedResult).reason).toBeInstanceOf(RendererDied);
});

test('a fault of one image replaces the child, and costs those beside it nothing', async () => {
  const renderer = await fourAtOnce();
  const others = [1, 2].map((seed) => renderer.draw(request({ seed, steps: 60 })));
  const faulty = renderer.render(request({ seed: 3 }), 42 as unknown as RequestCaptions);
  await expect(faulty).rejects.toThrow(RendererBug);
  await Promise.all(others);
  expect(renderer.pids.length).toBeGreaterThan(1);
});

/** Starts three images in one child, which stops doing anything at a step of the third; that one is cancelled then. */
async function cancelledInHung(renderer: TinyRenderer, limitMs?: number) {
  const stop = new AbortController();
  const reason = new Error('cancelled by the test');
  const others = [1, 2].map((seed) => renderer.draw(request({ seed, steps: 40 }), { limitMs }));
  const cancelled = renderer.draw(request({ seed: 3, steps: 40 }), {
    signal: stop.signal,
    onStep: (step) => {
      if (step !== 3) return;
      process.kill(renderer.pids[0]!, 'SIGSTOP');
      stop.abort(reason);
    },
  });
  const end = expect(cancelled).rejects.toBe(reason);
  await until(() => stop.signal.aborted);
  return { others, cancelled: end };
}

test('a cancelled image waits for a long call of those beside it, and costs them nothing', async () => {
  const renderer = await fourAtOnce();
  const { others, cancelled } = await cancelledInHung(renderer);
  // Longer than a child that has no other image may take to stop.
  await sleep(6_000);
  process.kill(renderer.pids[0]!, 'SIGCONT');
  await cancelled;
  for (const { microBatch } of await Promise.all(others)) expect(microBatch).toBe(3);
  expect(renderer.pids).toHaveLength(1);
});

test('an image that comes while a cancelled one has not stopped is given no child that may hang', async () => {
  const renderer = await fourAtOnce();
  const { others, cancelled } = await cancelledInHung(renderer);
  let hasBegun = false;
  const onBegin = () => {
    hasBegun = true;
  };
  const late = renderer.draw(request({ seed: 4 }), { onBegin });
  await sleep(500);
  expect(hasBegun).toBe(false);
  process.kill(renderer.pids[0]!, 'SIGCONT');
  await Promise.all([cancelled, late, ...others]);
});

test('a child that hangs is ended when one of its images takes too long, and each of the others is made by itself', async () => {
  const renderer = await fourAtOnce();
  const { others, cancelled } = await cancelledInHung(renderer, 5_000);
  await Promise.all([cancelled, ...others]);
  expect(renderer.pids).toHaveLength(2);
  expect(isAlive(renderer.pids[0]!)).toBe(false);
});

test('an image that is to be alone has no other beside it', async () => {
  const renderer = await fourAtOnce();
  const images = [1, 2, 3].map((seed) => renderer.draw(request({ seed, steps: 30 }), { isAlone: seed === 3 }));
  expect((await Promise.all(images)).map(({ microBatch }) => microBatch)).toEqual([2, 2, undefined]);
});

test('close fails every image in hand', async () => {
  const renderer = await fourAtOnce();
  const { outcomes } = await drawAll(renderer, 900, (_, step) => step === 5 && void renderer.close());
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(RendererDied) });
    expect((outcome as PromiseRejectedResult).reason).not.toBeInstanceOf(RendererOutOfMemory);
  }
  expect(renderer.pids.filter(isAlive)).toEqual([]);
});
