import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CAPTION_DAYS } from '../../../activities/caption-sweep.ts';
import { LOOSE_AGES } from '../../../cleaning/clean-store.ts';
import { CAPTIONS_FOLDER } from '../../../records/layout.ts';
import { SCRATCH_FOLDER } from '../../../store/object-name.ts';

const EXPIRING = JSON.parse(
  readFileSync(new URL('../../../infra/terraform/gke/expiring.json', import.meta.url), 'utf8'),
) as Record<string, number>;

const days = (kind: string): number => LOOSE_AGES.find(([one]) => one === kind)![1] / (24 * 3_600_000);

test("the bucket's lifecycle rules remove captions and checkpoints when clean does, and nothing else", () => {
  expect(EXPIRING).toEqual({ [CAPTIONS_FOLDER]: days('captions'), [`${SCRATCH_FOLDER}/`]: days('checkpoints') });
  expect(EXPIRING[CAPTIONS_FOLDER]).toBe(CAPTION_DAYS);
});
