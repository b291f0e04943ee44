import { describe, expect, it } from 'vitest';
import { readDecisions } from '../../catalog/decisions.ts';

const key = 'ab'.repeat(32);
const read = (text: string) => readDecisions(Buffer.from(text), 'decisions.csv');

describe('decisions', () => {
  it('are read from CSV with a byte-order mark, quotes and more columns; only what is rejected counts', () => {
    const rows = `fox,${key},approved,\n"owl",${key},"Rejected","ears, wrong"\nhen,${key},,\n`;
    expect([...read(`\uFEFFid,render_key,decision,why\r\n${rows}`)]).toEqual([['owl', key]]);
  });

  it('are refused with line and column where one is not of the page', () => {
    expect(() => read(`id,render_key,decision\nfox,${key},rejected\nowl,none,rejected\n`)).toThrow(
      'decisions.csv, line 3, render_key: expected a SHA-256 in hexadecimal, found "none"',
    );
    expect(() => read('id,verdict\nfox,no\n')).toThrow('render_key: expected');
    expect(() => read('id,render_key,decision\n"fox,x\n')).toThrow('decisions.csv: expected CSV with a header');
  });
});
