import { describe, expect, it } from 'vitest';
import { readDecisions } from '../../records/decisions.ts';

const key = 'ab'.repeat(32);
const other = 'cd'.repeat(32);
const read = (text: string) => readDecisions(Buffer.from(text), 'decisions.csv');

/** Ids with the keys that are rejected. */
const rejected = async (text: string) =>
  [...(await read(text))].flatMap(([id, keys]) => (keys.size > 0 ? [[id, ...keys]] : []));

describe('decisions', () => {
  it('are read from CSV with a byte-order mark, quotes and other columns; only rejections count', async () => {
    const rows = `fox,${key},approved,\n"owl",${key}," Rejected ","ears, wrong"\nhen,${key},,\n'-bee,${key},rejected,\n`;
    expect(await rejected(`\uFEFFid,render_key,decision,why\r\n${rows}`)).toEqual([
      ['owl', key],
      ['-bee', key],
    ]);
  });

  it('may come from a spreadsheet that separates cells by semicolons', async () => {
    expect(await rejected(`id;render_key;decision\r\nowl;${key};rejected\r\n`)).toEqual([['owl', key]]);
  });

  it('count by picture: the later of two about one picture, and each of several about the pictures of a row', async () => {
    const head = 'id,render_key,decision\n';
    expect(await rejected(`${head}owl,${key},rejected\nowl,${other},rejected\n`)).toEqual([['owl', key, other]]);
    expect(await rejected(`${head}owl,${key},rejected\nowl,${key},approved\n`)).toEqual([]);
    expect(await rejected(`${head}owl,${key},approved\nowl,${key},rejected\n`)).toEqual([['owl', key]]);
  });

  it('are refused with line and column if the page cannot have written them', async () => {
    const head = 'id,render_key,decision\n';
    await expect(read(`${head}fox,${key},rejected\nowl,none,rejected\n`)).rejects.toThrow(
      'decisions.csv, line 3, render_key: expected a SHA-256 in hexadecimal, found "none"',
    );
    await expect(read(`${head}fox,${key},reject\n`)).rejects.toThrow(
      'line 2, decision: expected approved, rejected or nothing, found "reject"',
    );
    await expect(read(`${head}../fox,${key},rejected\n`)).rejects.toThrow(
      'line 2, id: expected letters and digits of any script',
    );
    await expect(read('id,verdict\nfox,no\n')).rejects.toThrow(
      /expected the columns id, render_key, decision, as .* found id, verdict/,
    );
    await expect(read(`${head}"fox,x\n`)).rejects.toThrow('decisions.csv: expected CSV with a header');
  });
});
