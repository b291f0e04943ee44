import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AttemptCounts, countsAfter, countsFor } from '../../activities/attempts.ts';
import { RENDER_ATTEMPTS } from '../../workflows/contract/limits.ts';

const told = (attempts: AttemptCounts) => ({ computations: 3, step: 1, attempts });

describe('an attempt that begins', () => {
  test('has nothing before it where it is the first', () => {
    expect(countsFor(1, undefined)).toEqual({ attempt: 1, failed: 0, lost: 0, isOver: false });
  });

  test('takes those of which nobody has heard for lost', () => {
    expect(countsFor(4, undefined)).toMatchObject({ failed: 0, lost: 3 });
  });

  test('counts from nothing where a person has reset the activity', () => {
    const before = { attempt: 5, failed: 3, lost: 1, isOver: false };
    for (const attempt of [1, 2, 5]) expect(countsFor(attempt, told(before))).toMatchObject({ failed: 0, lost: 0 });
  });

  test('takes those of an earlier version for failures, and is not the last for them', () => {
    expect(countsFor(3, { computations: 2, stepsComputed: 8 })).toMatchObject({ failed: 2, lost: 0 });
    expect(countsFor(50, { computations: 2 })).toMatchObject({ failed: RENDER_ATTEMPTS - 1, lost: 0 });
  });
});

/** What may become of an attempt: it tells its end, or its worker dies, before or after the first heartbeat. */
const ends = fc.constantFrom('failed', 'interrupted', 'dies at once', 'dies later');

test('failures and lost attempts are counted, and nothing else, in whatever order they come', () => {
  fc.assert(
    fc.property(fc.array(ends, { maxLength: 30 }), (all) => {
      let details: unknown;
      for (const [index, end] of all.entries()) {
        const counts = countsFor(index + 1, details);
        if (end === 'failed' || end === 'interrupted') details = told(countsAfter(counts, end));
        else if (end === 'dies later') details = told(counts);
      }
      expect(countsFor(all.length + 1, details)).toMatchObject({
        failed: all.filter((end) => end === 'failed').length,
        lost: all.filter((end) => end.startsWith('dies')).length,
      });
    }),
  );
});
