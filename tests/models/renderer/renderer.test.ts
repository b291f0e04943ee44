import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest';
import { UserError } from '../../../domain/user-error.ts';
import { loadPipeline, openBundle, type SamplerState } from '../../../models/pixart/index.ts';
import { isAlive, request, TINY_BUNDLE, type TinyRenderer, tinyRenderer } from './tiny-renderer.ts';

let renderer: TinyRenderer;

beforeAll(async () => {
  renderer = await tinyRenderer();
});

afterEach(() => {
  // None of these tests costs the child its life.
  expect(renderer.pids).toHaveLength(1);
  expect(isAlive(renderer.pids[0]!)).toBe(true);
});

afterAll(() => renderer.close());

test('the child renders the same pixels as the pipeline does in this process', async () => {
  const pipeline = await loadPipeline(await openBundle(TINY_BUNDLE), { device: 'cpu', threads: 1 });
  onTestFinished(() => pipeline.dispose());
  const expected = await pipeline.render(request());
  const found = await renderer.draw(request());
  expect(Buffer.compare(found.rgb, expected.rgb)).toBe(0);
  expect(renderer.bundle.name).toBe('tiny-velocity');
});

test('every step is reported, once and in order', async () => {
  const steps: string[] = [];
  await renderer.draw(request({ steps: 5 }), { onStep: (step, of) => steps.push(`${step}/${of}`) });
  expect(steps).toEqual(['1/5', '2/5', '3/5', '4/5', '5/5']);
});

test('images asked for at the same time take turns in the order in which they were asked for', async () => {
  const events: string[] = [];
  await Promise.all(
    ['a', 'b', 'c'].map(async (name) => {
      await renderer.draw(request(), { onBegin: () => events.push(`${name} begins`) });
      events.push(`${name} ends`);
    }),
  );
  expect(events.filter((event) => event.endsWith('begins'))).toEqual(['a begins', 'b begins', 'c begins']);
  expect(events.indexOf('a ends')).toBeLessThan(events.indexOf('c begins'));
});

test('a cancelled image stops within one step, and the same child renders the next', async () => {
  const cancellation = new AbortController();
  const reason = new Error('cancelled by the test');
  let stepsAfter = 0;
  const render = renderer.draw(request({ steps: 900 }), {
    signal: cancellation.signal,
    onStep: (step) => {
      if (cancellation.signal.aborted) stepsAfter += 1;
      if (step === 3) cancellation.abort(reason);
    },
  });
  await expect(render).rejects.toBe(reason);
  // The step that is running when the message is sent, and the one that may begin while it travels.
  expect(stepsAfter).toBeLessThanOrEqual(2);
  await renderer.draw(request());
});

test('a cancelled image that still waits for the device leaves the queue at once, and its turn goes to the next', async () => {
  const cancellation = new AbortController();
  const events: string[] = [];
  const first = renderer.draw(request({ steps: 300 })).then(() => events.push('first'));
  const waiting = renderer
    .draw(request(), { signal: cancellation.signal, onBegin: () => events.push('the cancelled one began') })
    .catch(() => events.push('cancelled'));
  const third = renderer.draw(request()).then(() => events.push('third'));
  cancellation.abort();
  await Promise.all([first, waiting, third]);
  expect(events).toEqual(['cancelled', 'first', 'third']);
});

test.for(['SIGINT', 'SIGTERM', 'SIGUSR2'] as const)(
  '%s for the whole process group leaves the child to its parent',
  async (signal) => {
    await renderer.draw(request({ steps: 20 }), {
      onStep: (step) => {
        if (step === 3) process.kill(renderer.pids[0]!, signal);
      },
    });
  },
);

test('an image goes on from a state that the child told, and equals the uninterrupted one', async () => {
  const told: SamplerState[] = [];
  const whole = await renderer.draw(request({ steps: 5 }), {
    states: { everyMs: 0, onState: (state) => told.push(state) },
  });
  expect(told.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5]);
  const steps: number[] = [];
  const rest = await renderer.draw(request({ steps: 5 }), { resume: told[2], onStep: (step) => steps.push(step) });
  expect(steps).toEqual([4, 5]);
  expect(Buffer.compare(rest.rgb, whole.rgb)).toBe(0);
});

test('a cancelled image tells the state that it stops in before it rejects, and nothing earlier', async () => {
  const cancellation = new AbortController();
  const reason = new Error('cancelled by the test');
  const told: SamplerState[] = [];
  let last = 0;
  const render = renderer.draw(request({ steps: 900 }), {
    signal: cancellation.signal,
    states: { everyMs: 3_600_000, onState: (state) => told.push(state) },
    onStep: (step) => {
      last = step;
      if (step === 3) cancellation.abort(reason);
    },
  });
  await expect(render).rejects.toBe(reason);
  expect(told.map(({ step }) => step)).toEqual([last]);
});

test('a request that the bundle can never serve is a UserError and costs no child', async () => {
  await expect(renderer.draw(request({ size: '4k' }))).rejects.toThrow(UserError);
  await renderer.draw(request());
});
