import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { captionHeight, drawCaption } from '../../images/caption.ts';

const style = { width: 200, fontSize: 13, lines: 2, colour: '#444', background: '#f4f4f4' };

test('breaks text into lines within the width and cuts the rest off', async () => {
  const long = (await drawCaption('one two three four five '.repeat(20), style))!;
  expect(long.width).toBeLessThanOrEqual(202);
  expect(long.height).toBe(captionHeight(style));
  expect(long.rgb).toHaveLength(long.width * long.height * 3);
  const word = (await drawCaption('w'.repeat(300), style))!;
  expect(word.width).toBeLessThanOrEqual(202);
});

test('draws markup and control characters as text', async () => {
  const plain = (await drawCaption('b', style))!;
  expect((await drawCaption('<b>b</b> & "]]>\0', style))!.width).toBeGreaterThan(5 * plain.width);
  expect(await drawCaption('a\n\tb', style)).toEqual(await drawCaption('a b', style));
  expect(await drawCaption(' \n ', style)).toBeNull();
});

test('draws letters on a machine without fonts', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pixart-batch-no-fonts-'));
  try {
    const configuration = join(folder, 'fonts.conf');
    writeFileSync(configuration, `<fontconfig><dir>${folder}</dir><cachedir>${folder}</cachedir></fontconfig>`);
    const script = fileURLToPath(new URL('./caption-widths.ts', import.meta.url));
    const printed = execFileSync(process.execPath, ['--import', 'tsx', script, 'iiiiii', 'mmmmmm', '??????'], {
      env: { ...process.env, FONTCONFIG_FILE: configuration },
      encoding: 'utf8',
    });
    // The box for a missing glyph always has the same width.
    const [narrow = 0, wide = 0, between = 0] = JSON.parse(printed) as number[];
    expect(wide).toBeGreaterThan(2.5 * narrow);
    expect(between).toBeGreaterThan(1.2 * narrow);
    expect(between).toBeLessThan(0.8 * wide);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
