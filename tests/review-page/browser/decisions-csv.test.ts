import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DecisionRow, decisionsCsv, readDecisionsCsv } from '../../../review-page/browser/decisions-csv.ts';

const row = fc.record({
  id: fc.stringMatching(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,30}$/),
  renderKey: fc.stringMatching(/^[0-9a-f]{64}$/),
  decision: fc.constantFrom('approved' as const, 'rejected' as const),
});

describe('the table of decisions', () => {
  test('survives a round trip', () => {
    fc.assert(
      fc.property(fc.array(row), (rows) => {
        expect(readDecisionsCsv(decisionsCsv(rows))).toEqual(rows);
      }),
    );
  });

  test('is read the same by another RFC 4180 reader', () => {
    const rows: DecisionRow[] = [{ id: 'fox', renderKey: 'ab', decision: 'rejected' }];
    expect(decisionsCsv(rows)).toBe('"id","render_key","decision"\r\n"fox","ab","rejected"\r\n');
    expect(parse(decisionsCsv(rows), { columns: true })).toEqual([
      { id: 'fox', render_key: 'ab', decision: 'rejected' },
    ]);
  });

  test('has no cell that a spreadsheet reads as a formula', () => {
    expect(decisionsCsv([{ id: '-2-3', renderKey: 'ab', decision: 'approved' }])).toContain(`"'-2-3"`);
  });

  test.each([
    ['semicolons and a byte-order mark', '\uFEFFid;render_key;decision\nfox;ab;rejected\n'],
    ['tabs, and no newline at the end', 'id\trender_key\tdecision\nfox\tab\trejected'],
    [
      'another order, more columns, an empty line',
      'decision,note,id,render_key\r\n\r\nrejected,"a, ""b""\n",fox,ab\r\n',
    ],
    ['a semicolon in a cell, and an empty last one', 'id,render_key,decision,note,more\nfox,ab,rejected,a;b,'],
  ])('is read with %s', (_, text) => {
    expect(readDecisionsCsv(text)).toEqual([{ id: 'fox', renderKey: 'ab', decision: 'rejected' }]);
  });

  test.each([
    ['', 'expected a table with the columns id, render_key, decision, found an empty file'],
    ['name,when\nx,y\n', 'found name, when'],
    ['id,render_key,decision\nfox,ab,maybe\n', 'row 2: expected the decision approved or rejected, found "maybe"'],
    ['id,render_key,decision\nfox,"ab"c,approved\n', 'row 2: expected cells between ","'],
    ['id,render_key,decision\nfox,ab;approved\n', 'row 2: expected the decision approved or rejected, found ""'],
  ])('is rejected with what was expected if it is not one: %j', (text, problem) => {
    expect(() => readDecisionsCsv(text)).toThrow(problem);
  });
});
