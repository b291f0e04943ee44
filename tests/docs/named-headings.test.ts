import { expect, test } from 'vitest';
import { filesBelow, headingsOf, textOf } from './markdown-files.ts';

test('every heading that code and messages name exists in its document', () => {
  const files = filesBelow();
  const named = files
    .filter((file) => /\.(ts|mjs|cjs|py|sh|yaml|tf|service)$|Dockerfile$/.test(file))
    .flatMap((file) =>
      [...textOf(file).matchAll(/(docs\/[\w-]+\.md), (?:section )?"([^"]+)"/g)].map(([, document, heading]) => ({
        file,
        document: document!,
        heading: heading!,
      })),
    )
    // Specifications of others have such names, too.
    .filter(({ document }) => files.includes(document));
  expect(named.length).toBeGreaterThan(8);
  expect(named.filter(({ document, heading }) => !headingsOf(textOf(document)).includes(heading))).toEqual([]);
});
