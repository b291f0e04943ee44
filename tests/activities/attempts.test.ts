import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AttemptCounts, type AttemptEnd, countsAfter, countsFor, mustBeAlone } from '../../activities/attempts.ts';
import { RENDER_ATTEMPTS, RENDER_LOST_BESIDE_OTHERS } from '../../workflows/contract/limits.ts';

const told = (attempts: AttemptCounts) => ({ computations: 3, step: 1, attempts });
const FIRST: AttemptCounts = { attempt: 1, failed: 0, lost: 0, isOver: false, isAlone: false, hasCrashed: false };

describe('an attempt that begins', () => {
  test('has nothing before it where it is the first', () => {
    expect(countsFor(1, undefined)).toEqual(FIRST);
  });

  test('takes those of which nobody has heard for lost', () => {
    expect(countsFor(3, undefined)).toMatchObject({ failed: 0, lost: 2 });
  });

  test('counts from nothing where a person has reset the activity', () => {
    const before = { ...FIRST, attempt: 5, failed: 3, lost: 1, hasCrashed: true };
    for (const attempt of [1, 2, 5]) expect(countsFor(attempt, told(before))).toEqual({ ...FIRST, attempt });
  });

  test('takes those of an earlier version for failures, and is not the last for them', () => {
    expect(countsFor(3, { computations: 2, stepsComputed: 8 })).toMatchObject({ failed: 2, lost: 0 });
    expect(countsFor(50, { computations: 2 })).toMatchObject({ failed: RENDER_ATTEMPTS - 1, lost: 0 });
  });

  test('goes on counting from what earlier versions reported', () => {
    const attempts = { attempt: 9, failed: 1, lost: 7, isOver: false };
    expect(countsFor(10, { attempts })).toEqual({ ...FIRST, attempt: 10, failed: 1, lost: 7 });
    expect(countsFor(2, { attempts: { ...attempts, attempt: 1, lost: 0 } })).toMatchObject({ failed: 1, lost: 1 });
  });
});

/** What may become of an attempt: it tells its end, or its worker dies, before or after the first heartbeat, or while it is alone. */
const ends = fc.constantFrom('failed', 'crashed', 'interrupted', 'dies at once', 'dies later', 'dies alone');

test('failures are counted, and of lost attempts a few and those in which the image was alone, in whatever order they come', () => {
  fc.assert(
    fc.property(fc.array(ends, { maxLength: 40 }), (all) => {
      let details: unknown;
      let lost = 0;
      for (const [index, end] of all.entries()) {
        const counts = countsFor(index + 1, details);
        expect(counts.lost).toBe(lost);
        const isAlone = end === 'dies alone' && mustBeAlone(counts);
        if (!end.startsWith('dies')) details = told(countsAfter(counts, end as AttemptEnd));
        else if (end !== 'dies at once') details = told({ ...counts, isAlone });
        if (isAlone || (end.startsWith('dies') && lost < RENDER_LOST_BESIDE_OTHERS)) lost += 1;
      }
      expect(countsFor(all.length + 1, details)).toMatchObject({
        failed: all.filter((end) => end === 'failed' || end === 'crashed').length,
        lost,
        hasCrashed: all.includes('crashed'),
      });
    }),
  );
});
