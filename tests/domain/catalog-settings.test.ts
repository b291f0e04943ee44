import { expect, it } from 'vitest';
import { catalogFormat } from '../../domain/catalog-settings.ts';
import { UserError } from '../../domain/user-error.ts';

it.each([
  ['prompts.csv', 'csv'],
  ['gs://bucket/lists/Prompts.TSV', 'tsv'],
  ['./a.b/prompts.v2.jsonl', 'jsonl'],
  ['Icons.XLSX', 'xlsx'],
])('infers the format of %s from its extension', (file, format) => {
  expect(catalogFormat(file)).toBe(format);
});

it.each(['prompts.ods', 'prompts', 'folder.csv/prompts', '.csv/'])('refuses %s', (file) => {
  expect(() => catalogFormat(file)).toThrow(UserError);
  expect(() => catalogFormat(file)).toThrow(file);
});
