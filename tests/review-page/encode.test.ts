import { createHash } from 'node:crypto';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scriptJson } from '../../review-page/encode.ts';
import { encodePiece, makePage, type SheetPiece } from '../../review-page/index.ts';

const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '</script><script>alert(1)</script>',
    '<!--<script>',
    ']]>',
    '\u2028\u2029',
    '__proto__',
    "');alert(1);('",
  ),
);

describe('data in scripts', () => {
  test('cannot end a script element or a line, and survives a round trip', () => {
    fc.assert(
      fc.property(fc.array(hostile), (values) => {
        const text = scriptJson(values);
        expect(text).not.toMatch(/[<>&\u2028\u2029]/);
        expect(JSON.parse(text)).toEqual(values);
      }),
    );
  });

  test('reaches the page unchanged when the script runs', async () => {
    await fc.assert(
      fc.asyncProperty(hostile, async (prompt) => {
        const piece = { sprites: [null], rows: [{ id: 'a', prompt, values: [prompt, null] }] } as unknown as SheetPiece;
        const { file } = await encodePiece(3, piece);
        const calls: unknown[][] = [];
        runInNewContext(Buffer.from(file).toString(), { sheetPiece: (...call: unknown[]) => calls.push(call) });
        expect(JSON.stringify(calls)).toBe(JSON.stringify([[3, piece]]));
      }),
    );
  });

  test('is named by its contents', async () => {
    const nameOf = async (number: number) => (await encodePiece(number, { sprites: [], rows: [] })).name;
    expect(await nameOf(0)).toBe(await nameOf(0));
    expect(await nameOf(0)).not.toBe(await nameOf(1));
  });
});

describe('the page', async () => {
  const head = { batch: 'night', jobs: 0, pieces: [], parameters: [], columns: ['</script><script>alert(1)</script>'] };
  const html = Buffer.from(await makePage(head)).toString();

  test('has one script, the only one that its policy allows', () => {
    const scripts = [...html.matchAll(/<script>(.*?)<\/script>/gs)].map(([, text]) => text!);
    expect(scripts).toHaveLength(1);
    const digest = createHash('sha256').update(scripts[0]!).digest('base64');
    expect(html).toContain(`script-src 'sha256-${digest}' 'strict-dynamic';`);
  });

  test('requests nothing from other hosts', () => {
    expect(html).toContain("default-src 'none'");
    expect(html).not.toMatch(/https?:/);
  });

  test('keeps a hostile column name as text', () => {
    const json = /id="head">(.*?)<\/script>/s.exec(html)![1]!;
    expect(JSON.parse(json)).toEqual(head);
  });
});
