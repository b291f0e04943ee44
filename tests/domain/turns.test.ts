import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { catalogJobs } from '../../catalog/plan-catalog.ts';
import { cellsOf } from '../../domain/job.ts';
import { gathered, runsOf, TURN_BYTES, TURN_CELLS, Turns } from '../../domain/turns.ts';
import { parseJsonLines } from '../../records/formats.ts';
import { options } from '../catalog/planning.ts';

/** The largest amount of work done between two turns of the event loop. */
async function mostInATurn(
  work: (did: (amount: number) => void) => Promise<unknown>,
): Promise<{ most: number; turns: number }> {
  let [most, since, turns, hasEnded] = [0, 0, 0, false];
  const watch = (async () => {
    while (!hasEnded) {
      since = 0;
      turns += 1;
      await setImmediate();
    }
  })();
  await work((amount) => {
    since += amount;
    most = Math.max(most, since);
  });
  hasEnded = true;
  await watch;
  return { most, turns };
}

describe('turns', () => {
  it('yield once a turn’s work is done, however it is divided', async () => {
    const { most, turns } = await mostInATurn(async (did) => {
      const own = new Turns(100);
      for (let item = 0; item < 1_000; item++) {
        did(item % 30);
        await own.after(item % 30);
      }
    });
    expect(most).toBeLessThan(100 + 30);
    expect(turns).toBeGreaterThan(100);
  });

  it('divide items into runs, in order, each of at most a turn’s work or one item', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(30)), (items) => {
        const runs = [...runsOf(items, (item) => item, 40)];
        expect(runs.flat()).toEqual(items);
        for (const run of runs) expect(run.length === 1 || run.reduce((sum, item) => sum + item, 0) <= 40).toBe(true);
      }),
    );
  });

  it('are one for each piece', async () => {
    function* pieces(did: (amount: number) => void) {
      for (let piece = 0; piece < 20; piece++) {
        did(1);
        yield Buffer.from([piece]);
      }
    }
    let all: Uint8Array = new Uint8Array();
    const { most } = await mostInATurn(async (did) => {
      all = await gathered(pieces(did));
    });
    expect(most).toBeLessThanOrEqual(2);
    expect([...all]).toEqual(Array.from({ length: 20 }, (_, piece) => piece));
  });
});

describe('between two turns', () => {
  it('a plan handles a limited number of cells, whatever the rows', async () => {
    const row = JSON.stringify({
      prompt: 'a fox',
      ...Object.fromEntries(Array.from({ length: 190 }, (_, key) => [`k${key}`, 'x'])),
    });
    const catalog = Buffer.from(Array.from({ length: 200 }, () => row).join('\n'));
    const { most } = await mostInATurn(async (did) => {
      for await (const job of catalogJobs([catalog], { ...options, format: 'jsonl' })) did(cellsOf(job));
    });
    expect(most).toBeGreaterThan(1_000);
    expect(most).toBeLessThan(TURN_CELLS + 2 * 300);
  });

  it('a limited number of bytes of a record is read', async () => {
    const line = `${JSON.stringify({ text: 'x'.repeat(5_000) })}\n`;
    const bytes = Buffer.from(line.repeat(500));
    const file = { store: 'file:///out', name: 'rows.jsonl', holds: 'rows', remedy: '' };
    const { most } = await mostInATurn((did) => {
      const schema = z.object({ text: z.string() }).refine(() => {
        did(line.length);
        return true;
      });
      return parseJsonLines(bytes, schema, file);
    });
    expect(most).toBeGreaterThan(TURN_BYTES / 4);
    expect(most).toBeLessThan(TURN_BYTES + 2 * line.length);
  });
});
