import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { jobsOf, plan, problemsOf } from '../planning.ts';

const read = (text: string) => jobsOf(text, { format: 'txt' });
const problems = (text: string) => problemsOf(text, { format: 'txt' });

describe('a list of prompts', () => {
  it('has one prompt per line, with the same ids and seeds as in a table', async () => {
    const jobs = await read('\ufeffa flat apple, green background\r\n\r\n  "a 6" nail, it\'s new\r\n# a comment\r\n');
    expect(jobs.map(({ line, prompt }) => ({ line, prompt }))).toEqual([
      { line: 1, prompt: 'a flat apple, green background' },
      { line: 3, prompt: '"a 6" nail, it\'s new' },
    ]);
    const [fromTable] = await jobsOf('prompt\n"a flat apple, green background"\n');
    expect({ ...jobs[0], line: 2 }).toEqual(fromTable);
  });

  it("accepts AUTOMATIC1111's flags, with its names for our columns", async () => {
    const [job] = await read(
      '--prompt "a \\"red\\" fox --steps 3" --negative_prompt low quality, it\'s --steps 10 --cfg_scale=7 --width 640 --height 512 --seed 5 --sampler_name "Euler a"\n',
    );
    expect(job).toMatchObject({
      prompt: 'a "red" fox --steps 3',
      negativePrompt: "low quality, it's",
      steps: 10,
      guidance: 7,
      width: 640,
      height: 512,
      seed: 5,
      metadata: { sampler_name: 'Euler a' },
    });
    const [same] = await jobsOf(`${JSON.stringify({ prompt: 'a fox', steps: 10, guidance: 7 })}\n`, {
      format: 'jsonl',
    });
    expect((await read('--prompt a fox --steps 10 --cfg_scale 7\n'))[0]).toEqual(same);
  });

  it('makes as many images as --n_iter says', async () => {
    expect(await read('--prompt a fox --n_iter 2 --id fox\n')).toMatchObject([{ id: 'fox-1' }, { id: 'fox-2' }]);
  });

  it("accepts Midjourney's flags after a prompt", async () => {
    expect(await read('a fox -- red, well--known --ar 16:9 --no trees, snow --v 6 --tile\n')).toMatchObject([
      {
        prompt: 'a fox -- red, well--known',
        negativePrompt: 'trees, snow',
        bin: { width: 672, height: 384 },
        metadata: { '--v': '6', tile: 'true' },
      },
    ]);
  });

  it('reports a duplicate flag without effect, as written', async () => {
    expect((await problems('a fox --v 6 --v 5\n'))[0]).toBe('line 1, --v: expected it only once, found more');
  });

  it('accepts curly quotes from a word processor', async () => {
    expect(await read('--prompt “a "red" fox” --no „snow“ --steps 3\n')).toMatchObject([
      { prompt: 'a "red" fox', negativePrompt: 'snow', steps: 3 },
    ]);
  });

  it('reports every flag without effect, even without a value', async () => {
    const { summary } = await plan('a fox --v 6 --s 250 --tile --raw\n', { format: 'txt' });
    expect(summary.metadata).toEqual(['--v', '--s', 'tile', '--raw']);
    expect(summary.columnHints.map(({ found }) => found)).toEqual(['--v', '--s', 'tile', '--raw']);
  });

  it.each([
    ['a fox —ar 16:9', 'two hyphens before the name of a flag instead of the dash in —ar 16:9'],
    ['a fox ––no trees', 'two hyphens before the name of a flag instead of the dash in ––no trees'],
    ['a fox --ar16:9', '--ar16:9: expected a value after it'],
    ['positive: a fox', 'all of a row on one line'],
    ['Negative: blurry', 'all of a row on one line'],
    ['Prompt: a fox', 'all of a row on one line'],
  ])('is refused if a line is more than a prompt: %s', async (line, expected) => {
    expect(await problems(`a dog\n${line}\n`)).toEqual([expect.stringContaining(expected)]);
  });

  it('may have words between dashes', async () => {
    expect(await read('a fox —image of a fox— and a man — no hat\n')).toHaveLength(1);
  });

  it('reports flags without effect like columns without effect', async () => {
    const { summary } = await plan('--prompt a fox --sampler_name "Euler a"\n', { format: 'txt' });
    expect(summary.columnHints).toEqual([{ found: 'sampler_name', meant: [], because: 'the bundle has its sampler' }]);
  });

  it('is refused with the problem of each line', async () => {
    expect(
      await problems(
        'a fox\na fox --colour red\n--steps 10\n--prompt a fox --prompt a dog\n--prompt "a fox --steps 3\n' +
          '--prompt "a" b --steps 3\n#heading\n--prompt a fox --seed -1\na fox --steps\na fox --steps 3 --steps 4\n',
      ),
    ).toEqual([
      'line 2, --colour: expected a flag of ours, of AUTOMATIC1111 or of Midjourney, found none of them',
      'line 3, prompt: expected a prompt before the flags, or after --prompt, found none',
      'line 4, --prompt: expected either --prompt or --prompt, found both',
      'line 5: expected a closing " and a space, or the end, after the value of --prompt; inside double quotes, write a quote as \\", found none',
      'line 5, prompt: expected a prompt before the flags, or after --prompt, found none',
      'line 6: expected only another flag after the quoted value of --prompt, found "b"',
      'line 6, prompt: expected a prompt before the flags, or after --prompt, found none',
      'line 7: expected a prompt, or "# " before a comment, found "#heading"',
      expect.stringMatching(/^line 8, --seed: expected a whole number .* leave it empty/),
      'line 9, --steps: expected a value after it, found none',
      'line 10, --steps: expected either --steps or --steps, found both',
    ]);
  });

  it.each([
    ['prompt', 'read it with --catalog-format csv'],
    ['prompt,seed', 'read it with --catalog-format csv'],
    ['id;Prompt', 'read it with --catalog-format csv'],
    ['prompt\tnotes', 'read it with --catalog-format tsv'],
    ['{"prompt": "a fox"}', 'for JSON, write one object per line and use --catalog-format jsonl'],
    ['["a fox", "a dog"]', 'for JSON, write one object per line and use --catalog-format jsonl'],
    ['[', 'for JSON, write one object per line and use --catalog-format jsonl'],
  ])('is refused if it is a table or JSON: %s', async (first, advice) => {
    expect(await problems(`${first}\nx\n`)).toEqual([
      `line 1: expected one prompt per line, found ${JSON.stringify(first)}; ${advice}`,
    ]);
  });

  it('loses the quotes that a spreadsheet put around its lines', async () => {
    const jobs = await read('"a flat apple, green"\na pear\n"a 6"" nail,\non wood"\n');
    expect(jobs.map(({ line, prompt }) => [line, prompt])).toEqual([
      [1, 'a flat apple, green'],
      [2, 'a pear'],
      [3, 'a 6" nail,\non wood'],
    ]);
  });

  it('is refused if lines are cells of a table, or what AUTOMATIC1111 writes below a prompt', async () => {
    expect(await problems('a fox\tred\na fox\nNegative prompt: blurry\nSteps: 20, Sampler: Euler a\n')).toEqual([
      'line 1: expected a prompt without tabs; for a table use --catalog-format tsv, found "a fox\\tred"',
      expect.stringMatching(/^line 3: expected all of a row on one line, as in --prompt/),
      expect.stringMatching(/^line 4: expected all of a row on one line, as in --prompt/),
    ]);
  });

  it('is read as docs/catalog.md shows', async () => {
    const guide = readFileSync(new URL('../../../docs/catalog.md', import.meta.url), 'utf8');
    const [, list = ''] = /^```text\n(.*?)^```$/ms.exec(guide) ?? [];
    expect(await read(list)).toMatchObject([
      { prompt: 'a flat rocket on a navy background' },
      { prompt: 'a glossy apple', negativePrompt: 'blurry', steps: 20, guidance: 5, width: 384, height: 256 },
      { prompt: 'a fox in the snow', negativePrompt: 'trees', bin: { width: 672, height: 384 } },
    ]);
  });

  it('has no columns to map', async () => {
    await expect(plan('a fox\n', { format: 'txt', columns: { prompt: 'x' } })).rejects.toThrow(
      'column mapping: expected none for a list of prompts',
    );
  });
});
