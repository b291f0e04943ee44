import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { cleanCaption, lowerCaption } from '../../../models/pixart/clean-caption.ts';
import { GOLDEN } from './golden-case.ts';

type Pair = { text: string; cleaned: string };

describe('cleanCaption', () => {
  const pairs: Pair[] = JSON.parse(readFileSync(path.join(GOLDEN, 'stages/captions.json'), 'utf8'));
  const isMojibake = ({ text }: Pair): boolean => text.startsWith('mojibake');

  test.each(pairs.filter((pair) => !isMojibake(pair)))('cleans $text as the reference does', ({ text, cleaned }) => {
    expect(cleanCaption(text)).toBe(cleaned);
  });

  test('leaves text that was decoded with the wrong encoding unrepaired, where the reference repairs some', () => {
    const { text, cleaned } = pairs.find(isMojibake)!;
    expect(cleanCaption(text)).toContain('â€œquotesâ€');
    expect(cleaned).toContain('"quotes"');
  });
});

test('lowerCaption lowers and strips, as the reference does where cleaning is off', () => {
  expect(lowerCaption(' \x1cA FOX,\u00a0<b>RED</b> \n')).toBe('a fox,\u00a0<b>red</b>');
});
