import { expect, test } from 'vitest';
import { twoNights } from '../e2e/two-nights.ts';

test('a text is encoded once: in a second night with fresh seeds a worker without the text encoder draws all pictures again', async () => {
  const { first, second, captions } = await twoNights(10, 2);
  // Two negative prompts: the first row's own, and that of the others.
  expect(first).toMatchObject({ encoded: 12, computed: 20, totals: { rendered: 20, failed: 0 } });
  expect(second).toMatchObject({ encoded: 0, computed: 20, totals: { rendered: 20, failed: 0 } });
  expect(captions.objects).toBe(12);
}, 600_000);
