import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AttemptCounts, type AttemptEnd, countsAfter, countsFor, mustBeAlone } from '../../activities/attempts.ts';
import { RENDER_ATTEMPTS, RENDER_LOST_ATTEMPTS, RENDER_LOST_BESIDE_OTHERS } from '../../workflows/contract/limits.ts';

const KINDS = ['innocent', 'kills its worker', 'kills its child'] as const;
type Kind = (typeof KINDS)[number];

/** An image as the server knows it. */
type Image = {
  kind: Kind;
  attempt: number;
  details: unknown;
  end: 'made' | 'failed' | null;
  counts: AttemptCounts;
  /** How many workers died with it in hand. */
  deaths: number;
};

/** Chooses a number below another one. */
type Choose = (below: number) => number;

const report = (image: Image, attempts: AttemptCounts): void => {
  image.details = { computations: 1, stepsComputed: 0, attempts };
};

const finish = (image: Image, end: AttemptEnd | 'made'): void => {
  if (end === 'made') {
    image.end = 'made';
    return;
  }
  const after = countsAfter(image.counts, end);
  report(image, after);
  if (after.failed >= RENDER_ATTEMPTS) image.end = 'failed';
};

/** Images that compute: whichever comes to its fault first. @returns whether their worker lives */
function compute(together: Image[], choose: Choose): boolean {
  const left = [...together];
  while (left.length > 0) {
    const [image] = left.splice(choose(left.length), 1) as [Image];
    if (image.kind === 'kills its worker') return false;
    finish(image, image.kind === 'innocent' ? 'made' : 'crashed');
  }
  return true;
}

/** One life of a worker that takes some images. Those that it still has when it dies end silently. */
function live(inHand: Image[], choose: Choose): { dies: boolean } {
  for (const image of inHand) {
    image.attempt += 1;
    image.counts = countsFor(image.attempt, image.details);
    if (image.counts.lost >= RENDER_LOST_ATTEMPTS) image.end = 'failed';
    // Heartbeats of an image that is not alone may or may not have come.
    else if (choose(2) === 0) report(image, image.counts);
  }
  const taken = inHand.filter(({ end }) => end === null);
  const together = taken.filter(({ counts }) => !mustBeAlone(counts));
  const alone = taken.filter(({ counts }) => mustBeAlone(counts)).sort((a, b) => a.counts.lost - b.counts.lost);
  const turns = alone.map((image) => [image]);
  turns.splice(choose(turns.length + 1), 0, together);
  for (const [done, turn] of turns.entries()) {
    // One that is told to stop hands back what it has not begun.
    if (choose(10) === 0) {
      for (const image of turns.slice(done).flat()) finish(image, 'interrupted');
      return { dies: false };
    }
    if (turn !== together) report(turn[0]!, { ...turn[0]!.counts, isAlone: true });
    if (!compute(turn, choose)) {
      for (const image of inHand) if (image.end === null) image.deaths += 1;
      return { dies: true };
    }
  }
  return { dies: false };
}

test('images that kill their workers or children fail after a while, and cost other images a few attempts and nothing else, whatever the order', () => {
  const kinds = fc.array(fc.constantFrom(...KINDS), { minLength: 1, maxLength: 16 });
  const choices = fc.infiniteStream(fc.nat());
  fc.assert(
    fc.property(kinds, fc.integer({ min: 1, max: 8 }), choices, (kinds, most, numbers) => {
      const choose: Choose = (below) => (numbers.next().value as number) % below;
      const images = kinds.map((kind): Image => {
        return { kind, attempt: 0, details: undefined, end: null, counts: countsFor(1, undefined), deaths: 0 };
      });
      let deaths = 0;
      for (let left = images; left.length > 0; left = images.filter(({ end }) => end === null)) {
        const rest = [...left];
        const inHand = Array.from(
          { length: Math.min(most, rest.length) },
          () => rest.splice(choose(rest.length), 1)[0]!,
        );
        if (live(inHand, choose).dies) deaths += 1;
      }
      for (const { kind, end } of images) expect(end).toBe(kind === 'innocent' ? 'made' : 'failed');
      const killers = kinds.filter((kind) => kind === 'kills its worker').length;
      expect(deaths).toBeLessThanOrEqual(RENDER_LOST_ATTEMPTS * killers);
      // Each of them beside others, and once more before it is known.
      const beforeKnown = killers * (RENDER_LOST_BESIDE_OTHERS + 1);
      const innocents = images.filter(({ kind }) => kind === 'innocent');
      for (const innocent of innocents)
        expect(innocent.deaths).toBeLessThanOrEqual(RENDER_LOST_BESIDE_OTHERS + beforeKnown);
    }),
  );
});
