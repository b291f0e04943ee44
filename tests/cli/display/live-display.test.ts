import { PassThrough } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { liveDisplay } from '../../../cli/display/live-display.ts';
import type { BatchProgress } from '../../../workflows/contract/progress.ts';

const progress = (rendered: number): BatchProgress => ({
  batch: 'night',
  round: 1,
  state: 'rendering',
  totals: { jobs: 40, rendered, reused: 0, failed: 0, cancelled: 0, extraComputations: 0 },
  bySize: { '256': { jobs: 40, rendered, reused: 0, failed: 0 } },
  recentFailures: Array.from({ length: 30 }, (_, index) => ({ id: `row-${index}`, reason: 'no memory' })),
});

function terminal(rows: number, columns = 100) {
  const stream = Object.assign(new PassThrough(), { rows, columns, isTTY: true }) as unknown as NodeJS.WriteStream;
  return { stream, text: () => String(stream.read() ?? '') };
}

test('each view is painted over the previous one, and never higher than the terminal', () => {
  const { stream, text } = terminal(10);
  const display = liveDisplay(stream, () => new Promise(() => {}));
  display.show(progress(0));
  expect(text().match(/\n/g)).toHaveLength(9);
  display.show(progress(1));
  expect(text().startsWith('\x1b[9A\r')).toBe(true);
  display.end();
  display.show(progress(2));
  expect(text()).not.toContain('A\r');
});

const nobody = () => new Promise<never>(() => {});

test('a line that is wider than the terminal is wrapped, between words if possible', () => {
  const { stream, text } = terminal(10, 20);
  liveDisplay(stream, nobody).show(progress(0));
  const lines = text().split('\n');
  expect(lines.slice(1, 5)).toEqual([
    '  of 40 images',
    '   256 px',
    `     ${'░'.repeat(15)}`,
    `     ${'░'.repeat(14)}…`,
  ]);
  expect(lines[6]).toBe('    row-0: no memory');
  const narrow = terminal(30, 15);
  liveDisplay(narrow.stream, nobody).show(progress(0));
  expect(narrow.text()).toContain('    row-0: no\n      memory\n');
});

test('reused images do not count towards the pace', () => {
  const now = vi.spyOn(performance, 'now');
  const { stream, text } = terminal(24);
  const display = liveDisplay(stream, nobody);
  const reused = (counts: { rendered: number; reused: number }): BatchProgress => {
    const before = progress(counts.rendered);
    const bySize = { '256': { jobs: 40, failed: 0, ...counts } };
    return { ...before, totals: { ...before.totals, ...counts }, bySize, recentFailures: [] };
  };
  now.mockReturnValue(1_000);
  display.show(reused({ rendered: 0, reused: 0 }));
  now.mockReturnValue(2_000);
  display.show(reused({ rendered: 0, reused: 20 }));
  expect(text()).not.toContain('ends');
  now.mockReturnValue(11_000);
  display.show(reused({ rendered: 10, reused: 20 }));
  now.mockRestore();
  expect(text()).toMatch(/30 of 40 images {2}60 a minute {2}ends in 10 s/);
});

test('while the server does not answer, the screen shows no pace, no end and no image in hand', () => {
  const now = vi.spyOn(performance, 'now');
  const { stream, text } = terminal(24);
  const display = liveDisplay(stream, nobody);
  now.mockReturnValue(1_000);
  display.show({ ...progress(0), recentFailures: [] });
  now.mockReturnValue(6_000);
  display.show({ ...progress(10), recentFailures: [], inHand: [{ id: 'fox', step: 3, steps: 20 }] });
  now.mockRestore();
  expect(text()).toContain('ends in 15 s');
  display.fallSilent('the Temporal server does not answer');
  const shown = text();
  expect(shown).toContain('night  rendering  10 of 40 images\n');
  expect(shown).toContain('  the Temporal server does not answer\n');
  expect(shown).not.toContain('in hand');
});

test('a server that never answered is reported too', () => {
  const { stream, text } = terminal(24);
  liveDisplay(stream, nobody).fallSilent('nobody is there');
  expect(text()).toContain('nobody is there\n');
});

test('pace and end come from the progress seen, workers from the server', async () => {
  const now = vi.spyOn(performance, 'now');
  const { stream, text } = terminal(24);
  const sizes = '256' as const;
  const display = liveDisplay(stream, async () => ({
    orchestrators: 1,
    renderers: [{ size: sizes, workers: 2 }],
    bundle: { name: 'icons', digest: '0123456789abcdef' },
    store: 'gs://bucket/images',
  }));
  now.mockReturnValue(1_000);
  display.show(progress(0));
  await setImmediate();
  text();
  now.mockReturnValue(6_000);
  display.show(progress(10));
  now.mockRestore();
  const shown = text();
  expect(shown).toContain('10 of 40 images  120 a minute  ends in 15 s');
  expect(shown).toContain('workers  orchestrators 1  renderers 256 px 2');
});
