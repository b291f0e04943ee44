import { PassThrough } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { progressDisplay } from '../../../cli/display/progress-display.ts';
import { outcomeText } from '../../../cli/display/progress-text.ts';
import type { BatchProgress } from '../../../workflows/contract/progress.ts';

const noWorkers = () =>
  Promise.resolve({
    orchestrators: 0,
    renderers: [],
    bundle: { name: 'icons', digest: '0123456789abcdef' },
    store: 'gs://bucket/images',
  });

const progress = (rendered: number): BatchProgress => ({
  batch: 'b',
  round: 1,
  state: 'rendering',
  totals: { jobs: 9, rendered, reused: 0, failed: 0, cancelled: 0, extraComputations: 0 },
  bySize: { '512': { jobs: 9, rendered, reused: 0, failed: 0 } },
  recentFailures: [],
});

/** What is written to a stream that is not a terminal. */
function written(show: (stream: NodeJS.WriteStream) => void): string {
  const stream = new PassThrough();
  show(stream as unknown as NodeJS.WriteStream);
  return String(stream.read() ?? '');
}

test('a log gets the first and the last state, and nothing twice', () => {
  const text = written((stream) => {
    const display = progressDisplay(false, noWorkers, stream);
    for (const rendered of [0, 0, 1, 2, 9]) display.show(progress(rendered));
    display.end();
    display.end();
  });
  expect(text).toBe('rendering  512 px 0/9 (none yet)\nrendering  512 px 9/9 (9 rendered)\n');
});

test('a long-running log gets lines in between', () => {
  const now = vi.spyOn(performance, 'now');
  const text = written((stream) => {
    const display = progressDisplay(false, noWorkers, stream);
    for (const rendered of [0, 4, 5]) {
      now.mockReturnValue(1_000 + rendered * 1_500);
      display.show(progress(rendered));
    }
  });
  now.mockRestore();
  expect(text.split('\n')).toEqual(['rendering  512 px 0/9 (none yet)', 'rendering  512 px 4/9 (4 rendered)', '']);
});

test('a log says once that nobody answers, and again after an answer', () => {
  const text = written((stream) => {
    const display = progressDisplay(false, noWorkers, stream);
    display.show(progress(1));
    for (const why of ['no server', 'no server', 'no orchestrator']) display.fallSilent(why);
    display.show(progress(1));
    display.fallSilent('no orchestrator');
  });
  expect(text.split('\n').slice(1)).toEqual(['no server', 'no orchestrator', 'no orchestrator', '']);
});

test('a log reports the steps of a slow image every minute', () => {
  const now = vi.spyOn(performance, 'now').mockReturnValue(0);
  const text = written((stream) => {
    const display = progressDisplay(false, noWorkers, stream);
    for (let second = 0; second <= 130; second += 5) {
      now.mockReturnValue(second * 1_000);
      display.show({ ...progress(0), inHand: [{ id: 'fox', step: second, steps: 500 }] });
    }
  });
  now.mockRestore();
  expect(text.split('\n').slice(1)).toEqual(['in hand: fox, step 60 of 500', 'in hand: fox, step 120 of 500', '']);
});

test('a log says once which sizes no worker polls for', async () => {
  const stream = new PassThrough();
  const nobody = () =>
    Promise.resolve({
      orchestrators: 1,
      renderers: [{ size: '512' as const, workers: 0 }],
      bundle: { name: 'icons', digest: '0123456789abcdef' },
      store: 'gs://bucket/images',
    });
  const display = progressDisplay(false, nobody, stream as unknown as NodeJS.WriteStream);
  display.show(progress(0));
  await setImmediate();
  display.show(progress(0));
  display.show(progress(0));
  expect(String(stream.read()).split('\n')).toEqual([
    'rendering  512 px 0/9 (none yet)',
    'no worker is polling for 512 px jobs of bundle icons 0123456789ab; start one:',
    '  npx pixart-batch worker --renderer --size 512 --bundle icons',
    '',
  ]);
});

test('outcomes that are zero are left out', () => {
  expect(outcomeText({ rendered: 2, reused: 0, failed: 1 })).toBe('2 rendered, 1 failed');
  expect(outcomeText({ rendered: 0, reused: 0, failed: 0 })).toBe('none yet');
});
