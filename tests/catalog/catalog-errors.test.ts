import { describe, expect, it } from 'vitest';
import { ID_RULE } from '../../domain/job-id.ts';
import { COLUMNS } from '../../domain/parameters.ts';
import { UserError } from '../../domain/user-error.ts';
import { errorOf, options, plan, problemsOf } from './planning.ts';

describe('the error of an invalid catalog', () => {
  it('lists every problem in order of lines, names the file and is a UserError', async () => {
    const error = await errorOf('id,prompt,seed,size\n../x,,-1,9\nb,pear,7,512\nb,,,\n');
    expect(error).toBeInstanceOf(UserError);
    expect(error.name).toBe('UserError');
    expect(error.message.split('\n')).toEqual([
      'catalog.csv: 5 problems in the catalog',
      `  line 2, id: expected ${ID_RULE}, found "../x"`,
      '  line 2, prompt: expected a prompt, found nothing',
      '  line 2, size: expected one of 256, 512, 1024, 2k, 4k, found "9"',
      '  line 2, seed: expected a whole number from 0 to 4294967295, found "-1"; leave it empty for a seed from the prompt, or use --seeds fresh for a new one in every batch',
      '  line 4, prompt: expected a prompt, found nothing',
    ]);
    expect(error.problems[3]).toEqual({
      line: 2,
      column: 'seed',
      expected: 'a whole number from 0 to 4294967295',
      found: '"-1"; leave it empty for a seed from the prompt, or use --seeds fresh for a new one in every batch',
    });
  });

  it('uses the column names of the file', async () => {
    expect(await problemsOf('Text,Seed No\na,-1\n', { columns: { prompt: 'Text', seed: 'Seed No' } })).toEqual([
      'line 2, Seed No: expected a whole number from 0 to 4294967295, found "-1"; leave it empty for a seed from the prompt, or use --seeds fresh for a new one in every batch',
    ]);
  });

  it('lists a hundred problems and counts the rest', async () => {
    const error = await errorOf(`prompt,seed\n${'apple,-1\n'.repeat(250)}`);
    expect(error.total).toBe(250);
    expect(error.problems).toHaveLength(100);
    expect(error.message).toMatch(/^catalog\.csv: 250 problems.*\n {2}… and 150 more$/s);
  });

  it('cuts long values', async () => {
    const [problem] = await problemsOf(`prompt,size\napple,${'9'.repeat(5000)}\n`);
    expect(problem?.length).toBeLessThan(150);
  });
});

describe('invalid options', () => {
  it('map an unknown column', async () => {
    await expect(plan('prompt\na\n', { columns: { promt: 'x' } })).rejects.toThrow(
      `column mapping: expected one of ${COLUMNS.join(', ')} before the "=", found "promt"`,
    );
  });

  it('have a default size that the bundle does not serve', async () => {
    const defaults = { ...options.defaults, size: '2k' as const };
    await expect(plan('prompt\na\n', { defaults })).rejects.toThrow(
      'size: expected a size that the bundle serves (256, 512, 4k), found 2k',
    );
  });

  it('lack the quality of a lossy format', async () => {
    const defaults = { ...options.defaults, format: 'avif' as const };
    await expect(plan('prompt\na\n', { defaults })).rejects.toThrow(
      'format avif: expected a quality from 1 to 100, found none',
    );
  });
});
