import { expect, test } from 'vitest';
import { blocksOf } from './code-blocks.ts';

/** Their `sh` blocks run in tests/release/document-commands.test.ts. */
test.each(['README.md', 'docs/guide.md'])('a block of %s that no test runs says what it needs', (document) => {
  for (const { language, lines } of blocksOf(document)) {
    expect(['sh', 'console', ''], lines[0]).toContain(language);
    if (language === 'console') expect(lines[0]).toMatch(/^# needs /);
    if (language === '') expect(lines.filter((line) => /^(\$ )?(npx|npm|node) /.test(line))).toEqual([]);
  }
});
