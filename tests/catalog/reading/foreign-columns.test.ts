import { describe, expect, it } from 'vitest';
import { columnHints, columnHintText } from '../../../catalog/reading/foreign-columns.ts';
import { errorOf, jobsOf, plan } from '../planning.ts';

const meant = (name: string) => columnHints([name])[0]?.meant;

describe('columns of other tools', () => {
  it.each([
    ['negative', 'negative_prompt'],
    ['Neg Prompt', 'negative_prompt'],
    ['negativePrompt', 'negative_prompt'],
    ['cfg_scale', 'guidance'],
    ['CFG Scale', 'guidance'],
    ['cfgscale', 'guidance'],
    ['guidance-scale', 'guidance'],
    ['guidanceScale', 'guidance'],
    ['num_inference_steps', 'steps'],
    ['Sampling Steps', 'steps'],
    ['aspect_ratio', 'aspect'],
    ['count', 'variants'],
    ['num_images_per_prompt', 'variants'],
    ['Batch size', 'variants'],
    ['name', 'id'],
    ['filename', 'id'],
    ['noise_seed', 'seed'],
    ['W', 'width'],
    ['H', 'height'],
    ['Aspect Ratio (w:h)', 'aspect'],
    ['Guidance (CFG)', 'guidance'],
    ['Size [px]', 'size'],
    ['Steps count', 'steps'],
    ['negatives', 'negative_prompt'],
    ['n_prompt', 'negative_prompt'],
    ['positive_prompt', 'prompt'],
    ['copies', 'variants'],
  ])('%s gets the hint %s', (name, column) => {
    expect(meant(name)).toEqual([column]);
  });

  it('that correspond to two of ours get a hint with both', () => {
    expect(columnHints(['Resolution']).map(columnHintText)).toEqual([
      'column "Resolution" has no effect and is carried over; did you mean width and height?',
    ]);
  });

  it.each([
    'sampler',
    'Sampler Name',
    'scheduler',
    'model',
    'loras',
    'LoRA 2',
    'clip_skip',
    'denoising_strength',
    'init_image',
    'quality',
  ])('%s has no effect, which is reported with a reason', (name) => {
    expect(columnHints([name])).toMatchObject([{ found: name, meant: [], because: expect.stringMatching(/\w/) }]);
    expect(columnHints([name]).map(columnHintText)[0]).toMatch(/ has no effect here and is carried over: /);
  });

  it.each(['team', 'sku', 'no', 'category', 'notes', 'Challenge', 'status', 'colour', 'price', 'Kategorie', 'tags'])(
    '%s is not a name of other tools, and gets no hint',
    (name) => {
      expect(columnHints([name])).toEqual([]);
    },
  );

  it('get no hint if a mapping names another column', async () => {
    const { summary } = await plan('prompt,caption\napple,a pear\n', { columns: { prompt: 'caption' } });
    expect(summary).toMatchObject({ metadata: ['prompt'], columnHints: [] });
  });

  it('come with a mapping that is quoted for a shell', () => {
    expect(columnHints(["Negative 'Prompt"]).map(columnHintText)[0]).toContain(
      "Map it with --column 'negative_prompt=Negative '\\''Prompt'",
    );
  });

  it('are reported by the plan, and carried over nevertheless', async () => {
    const { summary } = await plan('prompt,cfg_scale,name\napple,7,hero\n');
    expect(summary).toMatchObject({
      metadata: ['cfg_scale', 'name'],
      columnHints: [{ found: 'cfg_scale' }, { found: 'name' }],
    });
    expect(
      (await plan('prompt,cfg_scale\napple,7\n', { columns: { guidance: 'cfg_scale' } })).summary.columnHints,
    ).toEqual([]);
  });

  it('are read if a mapping names them', async () => {
    const columns = {
      negative_prompt: 'negative',
      guidance: 'cfg_scale',
      aspect: 'aspect_ratio',
      steps: 'num_inference_steps',
      variants: 'count',
      id: 'name',
    };
    const jobs = await jobsOf(
      'prompt,negative,cfg_scale,aspect_ratio,num_inference_steps,count,name\na flat apple,blurry,7,16:9,10,2,hero\n',
      { columns },
    );
    const picture = {
      negativePrompt: 'blurry',
      guidance: 7,
      bin: { width: 672, height: 384 },
      steps: 10,
      metadata: {},
    };
    expect(jobs).toMatchObject([
      { id: 'hero-1', ...picture },
      { id: 'hero-2', ...picture },
    ]);
  });

  it.each([
    ['Größe', 'size'],
    ['Gro\u0308ße', 'size'],
    ['Anzahl', 'variants'],
    ['Étapes', 'steps'],
    ['Tamaño', 'size'],
    ['Priorität', 'priority'],
  ])('in German, French or Spanish get a hint: "%s"', (found, meant) => {
    expect(columnHints([found])).toEqual([{ found, meant: [meant], because: null }]);
  });

  it('in another language are suggested as the prompt if there is none', async () => {
    expect((await errorOf('Nr,Beschreibung\n1,ein Fuchs\n')).message).toContain('is it --column prompt=Beschreibung?');
  });

  it.each([['Icons for spring\nprompt,size\na fox,512\n'], ['Icons for spring,\nprompt,size\na fox,512\n']])(
    'below a title get the advice to make the header the first row: %j',
    async (text) => {
      expect((await errorOf(text)).message).toMatch(
        /line 1, prompt: .*found the column "Icons for spring".*\. The first row must be the header: remove everything above it/,
      );
    },
  );

  it('are listed together with all other problems, in tables and in JSON', async () => {
    const table = await errorOf('prompt,Negativ Prompt,steps\napple,blurry,0\n');
    expect(table.columns).toEqual([{ found: 'Negativ Prompt', meant: ['negative_prompt'], because: null }]);
    expect(table.message).toMatch(/\n {2}line 2, steps: .*\n {2}column "Negativ Prompt" has no effect/);
    const lines = await errorOf('{"prompt":"a","cfg":7}\n{"prompt":"b","seed":-1}\n', { format: 'jsonl' });
    expect(lines.columns).toMatchObject([{ found: 'cfg', meant: ['guidance'] }]);
    const header = await errorOf('promt,negative\napple,blurry\n');
    expect(header.message).toContain('is it --column prompt=promt?');
    expect(header.columns).toMatchObject([{ found: 'promt' }, { found: 'negative' }]);
  });
});
