import fc from 'fast-check';
import { expect, test } from 'vitest';
import { code, plain } from '../../../workflows/contract/markdown.ts';
import type { BatchProgress } from '../../../workflows/contract/progress.ts';
import { batchDetails, shardDetails } from '../../../workflows/temporal-ui.ts';

const HOSTILE = [
  '[click](https://example.org)',
  '![x](https://example.org/pixel.png)',
  '<img src=x onerror=alert(1)>',
  '\n# a heading\n\n- [ ] done',
  '`` ` code ` `` https://example.org',
  '| a | b |\n|---|---|',
  '\u001b[31mred\u202e',
];

/** CommonMark: a span ends with the first run of backticks that is as long as the one it began with. */
function isOneSpan(text: string): boolean {
  const [fence] = /^`+/.exec(text) ?? [''];
  const runs = [...text.matchAll(/`+/g)].filter(([run]) => run === fence);
  return fence !== '' && runs.length === 2 && text.endsWith(fence) && runs[1]!.index === text.length - fence.length;
}

test('any text is one code span on one line', () => {
  const text = fc.oneof(
    fc.constantFrom(...HOSTILE),
    fc.string({ unit: fc.constantFrom('`', 'a', ' ', '\n', '\\', '[') }),
    fc.string(),
  );
  fc.assert(
    fc.property(text, (any) => {
      const span = code(any);
      expect(span).not.toMatch(/[\n\r]|\p{Cc}/u);
      expect(isOneSpan(span)).toBe(true);
    }),
  );
});

test('text without backticks is a simple span', () => {
  expect(code('gs://bucket/images')).toBe('`gs://bucket/images`');
});

test('a summary keeps plain text and turns Markdown into a span', () => {
  const texts = [
    'spring (2).csv',
    'my_file.csv',
    'fox-1: a red fox, (x:1.3)',
    '[a](b)',
    'see https://example.org',
    '*a*',
    '_a_',
  ];
  expect(texts.map(plain)).toEqual([
    ...['spring (2).csv', 'my_file.csv', 'fox-1: a red fox, (x:1.3)'],
    ...['`[a](b)`', '`see https://example.org`', '`*a*`', '`_a_`'],
  ]);
});

test('failures and warnings cannot write Markdown into the details', () => {
  const recentFailures = HOSTILE.map((reason, index) => ({ id: `row-${index}`, reason }));
  const totals = { jobs: 9, rendered: 1, reused: 0, failed: 7, cancelled: 0, extraComputations: 0 };
  const progress = {
    state: 'rendering',
    totals,
    bySize: {},
    warnings: HOSTILE,
    recentFailures,
  } as unknown as BatchProgress;
  const shard = { shard: 0, rendered: 1, reused: 0, failed: 7, extraComputations: 0, recentFailures };
  const lines = [...batchDetails(progress).split('\n').slice(1), ...shardDetails(shard, 9).split('\n').slice(1)];
  for (const line of lines.filter((text) => !['', 'Last failures:'].includes(text))) {
    expect(isOneSpan(line.replace(/^- `row-\d`: /, ''))).toBe(true);
  }
});
