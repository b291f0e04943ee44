import { describe, expect, test } from 'vitest';
import { columnsOf, type Filter, MAX_CHOICES, matcher, NO_FILTER } from '../../../review-page/browser/filters.ts';
import { differences, relatives } from '../../../review-page/browser/relatives.ts';
import { SHEET_PARAMETERS, type SheetRow } from '../../../review-page/index.ts';
import { sheetRowOf } from '../sample-row.ts';

const rows = [
  sheetRowOf({ id: 'fox', prompt: 'a red Fox', values: ['web', null], line: 2, seed: 1 }),
  sheetRowOf({ id: 'fox-2', prompt: 'a red Fox', values: ['print', 'x'], line: 2, seed: 2 }),
  sheetRowOf({
    id: 'owl',
    prompt: 'an owl',
    values: ['web'],
    line: 3,
    seed: 3,
    status: 'failed',
    reason: 'too long',
    file: '',
  }),
];

const head = { parameters: SHEET_PARAMETERS, columns: ['team', 'note'] };
const columns = columnsOf(rows, head);
const column = (name: string) => columns.find((candidate) => candidate.name === name)!;

const found = (filter: Partial<Filter>, decided: 'approved' | null = null) => {
  const test = matcher({ ...NO_FILTER, ...filter }, head);
  return rows.filter((row) => test(row, row.id === 'fox' ? decided : null)).map(({ id }) => id);
};

describe('filters', () => {
  test('distinguish a column of the catalog from one of ours with the same name', () => {
    const all = columnsOf(rows, { ...head, columns: ['status', 'constructor'] });
    const found = all.filter(({ name }) => ['status', 'constructor'].includes(name));
    expect(found.map(({ name, isCarried = false }) => [name, isCarried])).toEqual([
      ['status', false],
      ['status', true],
      ['constructor', true],
    ]);
  });

  test('are offered for columns in which rows differ, with the count of each value', () => {
    expect(columns.map(({ name }) => name)).toEqual(['status', 'seed', 'reason', 'team', 'note']);
    expect([...column('team').values!]).toEqual([
      ['print', 1],
      ['web', 2],
    ]);
    expect([...column('note').values!]).toEqual([
      ['', 2],
      ['x', 1],
    ]);
  });

  test('find a name with or without accents, however it is typed', () => {
    const zoe = [sheetRowOf({ prompt: 'Zoe\u0308 at the café', values: ['Łódź', 'かば'] })];
    const find = (text: string) => zoe.filter((row) => matcher({ ...NO_FILTER, text }, head)(row, null)).length;
    for (const text of ['zoe', 'Zoë', 'ZOE\u0308', 'cafe', 'łodz', 'かば'])
      expect([text, find(text)]).toEqual([text, 1]);
    // A different mark makes a different letter.
    expect(find('かは')).toBe(0);
  });

  test('are in the order in which people look for them, short values before texts', () => {
    const other = {
      size: '512',
      width: 512,
      steps: 30,
      guidance: 7,
      seed: 8,
      negative: 'blurry',
      reason: 'x',
    } as const;
    const all = columnsOf([sheetRowOf({}), sheetRowOf({ ...other, status: 'failed', values: ['web'] })], head);
    expect(all.map(({ name }) => name)).toEqual([
      ...['status', 'size', 'pixels', 'steps', 'guidance', 'seed', 'negative_prompt', 'reason', 'team'],
    ]);
  });

  test('for a column with many values search it for text', () => {
    const many = Array.from({ length: MAX_CHOICES + 1 }, (_, index) =>
      sheetRowOf({ id: `r${index}`, seed: 100 + index }),
    );
    const [seed] = columnsOf(many, { ...head, columns: [] });
    expect(seed).toMatchObject({ name: 'seed', values: null });
    const test = matcher({ ...NO_FILTER, columns: [{ column: seed!, chosen: '12' }] }, head);
    expect(many.filter((row) => test(row, null)).map(({ seed }) => seed)).toEqual([
      112, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129,
    ]);
  });

  test('find all words of a search, in any of the texts, in any case', () => {
    expect(found({ text: ' FOX red ' })).toEqual(['fox', 'fox-2']);
    expect(found({ text: 'print' })).toEqual(['fox-2']);
    expect(found({ text: 'too long' })).toEqual(['owl']);
    expect(found({ text: 'fox owl' })).toEqual([]);
  });

  test('search all text parameters, whatever their names', () => {
    const of = (texts: object) => sheetRowOf(texts as Partial<SheetRow>);
    const style = { name: 'style_preset', field: 'style' as 'negative', isText: true };
    const test = matcher({ ...NO_FILTER, text: 'blurry pop' }, { parameters: [...SHEET_PARAMETERS, style] });
    expect(test(of({ negative: 'Blurry', style: 'pop art' }), null)).toBe(true);
    expect(test(of({ negative: 'Blurry', style: 'oil' }), null)).toBe(false);
  });

  test('by value and by decision must both match', () => {
    expect(found({ columns: [{ column: column('team'), chosen: 'web' }] })).toEqual(['fox', 'owl']);
    expect(found({ columns: [{ column: column('note'), chosen: '' }], decision: 'undecided' }, 'approved')).toEqual([
      'owl',
    ]);
    expect(found({ decision: 'approved' }, 'approved')).toEqual(['fox']);
  });
});

describe('comparing', () => {
  const entries = rows.map((row, index): [number, SheetRow] => [index, row]);

  test('takes images of the same catalog row, or with the same prompt', () => {
    expect(relatives(entries, rows[0]!, 'row').map(({ id }) => id)).toEqual(['fox', 'fox-2']);
    expect(relatives(entries, rows[2]!, 'prompt').map(({ id }) => id)).toEqual(['owl']);
  });

  test('shows short parameters in the order in which people compare them, and no negative prompt', () => {
    const other = sheetRowOf({ seed: 8, steps: 30, guidance: 7, size: '512', negative: 'blurry' });
    expect(differences([sheetRowOf({}), other], head)[1]).toEqual(['seed 8', 'steps 30', 'guidance 7', 'size 512']);
  });

  test('shows how they differ', () => {
    expect(differences(rows.slice(0, 2), head)).toEqual([
      ['seed 1', 'team web', 'note '],
      ['seed 2', 'team print', 'note x'],
    ]);
  });
});
