import { expect, test } from 'vitest';
import type { Thrift } from '../../../domain/thrift.ts';
import { openBundle } from '../../../models/pixart/index.ts';
import { type Renderer, RendererOutOfMemory, TooLittleMemory, withLessMemory } from '../../../models/renderer/index.ts';
import { request, TINY_BUNDLE } from './tiny-renderer.ts';

const { description } = await openBundle(TINY_BUNDLE);
const captions = { prompt: { states: new Float32Array(4), tokens: 1 }, negative: null };
const large = { bin: { height: 1024, width: 1024 }, size: '1024' as const };

/** Children whose memory is one: a picture that would need more than is left then finds none. */
function sharingMemory(children: number, total: number, needs: (thrift: Thrift) => number, microBatch = 1) {
  let used = 0;
  let most = 0;
  const rungs: Thrift[] = [];
  const render: Renderer['render'] = async (_, __, { thrift = {}, signal } = {}) => {
    signal?.throwIfAborted();
    const mine = needs(thrift);
    used += mine;
    most = Math.max(most, used);
    const isShort = used > total;
    await new Promise((resolve) => setImmediate(resolve));
    used -= mine;
    if (isShort) throw new RendererOutOfMemory('no memory', 'decode');
    const timings = { denoiseMs: 1, decodeMs: 1 };
    return { rgb: new Uint8Array(3), width: 1, height: 1, timings, processorMs: 1, waitMs: 0, deviceShare: 1 };
  };
  const renderer = { children, microBatch, render } as Renderer;
  return { rungs, most: () => most, renderer: withLessMemory(renderer, description, (rung) => rungs.push(rung)) };
}

const pictures = (renderer: Renderer, count: number) =>
  Promise.all(Array.from({ length: count }, () => renderer.render(request(large), captions)));

test('pictures that have room alone, but not beside each other, are made as usual, one after the other', async () => {
  const { renderer, rungs, most } = sharingMemory(4, 10, () => 8);
  const made = await pictures(renderer, 12);
  expect(made.map(({ thrift }) => thrift)).toEqual(made.map(() => undefined));
  expect(rungs).toEqual([]);
  expect(most()).toBeGreaterThan(10);
});

test('what has no room alone goes on with less, and no rung is ever moved back', async () => {
  const needs = ({ tileLatents }: Thrift): number => tileLatents ?? 128;
  const { renderer, rungs } = sharingMemory(3, 40, needs);
  await pictures(renderer, 9);
  expect(rungs).toEqual([{ tileLatents: 64 }, { tileLatents: 32 }]);
});

test('a picture that asks for one piece ends with what to do where it has no room at all', async () => {
  const { renderer } = sharingMemory(2, 1, () => 2);
  const asked = request({ ...large, decode: 'whole' });
  const painting = renderer.render(asked, captions);
  await expect(painting).rejects.toThrow(TooLittleMemory);
  await expect(painting).rejects.toThrow(/Use --decode tiled, a smaller size/);
  await expect(renderer.render(request(large), captions)).rejects.toThrow(/Use a smaller size/);
});

test('a picture that waits to be alone can be cancelled, and holds up nobody', async () => {
  const { renderer } = sharingMemory(2, 10, () => 8);
  const stop = new AbortController();
  const waiting = [1, 2].map(() => renderer.render(request(large), captions, { signal: stop.signal }));
  setImmediate(() => stop.abort(new Error('cancelled')));
  const results = await Promise.allSettled(waiting);
  expect(results.some(({ status }) => status === 'rejected')).toBe(true);
  await pictures(renderer, 3);
});

test('images that share a child find out alone whether they need less', async () => {
  const { renderer, rungs } = sharingMemory(1, 10, () => 4, 4);
  const made = await pictures(renderer, 8);
  expect(made.map(({ thrift }) => thrift)).toEqual(made.map(() => undefined));
  expect(rungs).toEqual([]);

  const short = sharingMemory(1, 40, ({ tileLatents }) => tileLatents ?? 128, 4);
  await pictures(short.renderer, 4);
  expect(short.rungs).toEqual([{ tileLatents: 64 }, { tileLatents: 32 }]);
});
