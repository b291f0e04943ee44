import { describe, expect, it } from 'vitest';
import { jobsOf, options, problemsOf } from './planning.ts';

const shapeOf = async (header: string, row: string) => {
  const [job] = await jobsOf(`prompt,${header}\napple,${row}\n`);
  return { size: job?.size, bin: job?.bin, width: job?.width, height: job?.height };
};

describe('a row becomes jobs', () => {
  it('with the defaults of the batch and of the bundle for empty cells', async () => {
    expect(await jobsOf('prompt\na red apple\n')).toEqual([
      {
        id: '1fea40d6d6b3',
        prompt: 'a red apple',
        negativePrompt: '',
        size: '512',
        bin: { height: 512, width: 512 },
        width: 512,
        height: 512,
        seed: 3_234_286_458,
        steps: 20,
        guidance: 4.5,
        format: 'png',
        quality: null,
        priority: 3,
        renderKey: expect.stringMatching(/^[0-9a-f]{64}$/),
        line: 2,
        metadata: {},
      },
    ]);
  });

  it('of the shape that was typed, also if a spreadsheet made a time of it', async () => {
    const shapes = ['16:9', '16:09', '16:09:00', '4:3', '04:03:00', '3.5:1', '32:9'];
    const jobs = await jobsOf(`prompt,aspect\n${shapes.map((shape) => `an apple,${shape}\n`).join('')}`);
    const [wide, , , classic, , panorama] = jobs.map(({ bin }) => bin);
    expect(jobs.map(({ bin }) => bin)).toEqual([wide, wide, wide, classic, classic, panorama, panorama]);
    await expect(jobsOf('prompt,aspect\nan apple,16:09:30\n')).rejects.toThrow(/aspect: expected a ratio/);
  });

  it('with everything that the row says', async () => {
    const header = 'id,prompt,negative_prompt,size,aspect,seed,steps,guidance,priority,team';
    const [job] = await jobsOf(`${header}\nhero,an apple,blurry,4K,16:9,42,30,7.5,1,shop\n`);
    expect(job).toMatchObject({
      id: 'hero',
      prompt: 'an apple',
      negativePrompt: 'blurry',
      size: '4k',
      bin: { height: 2160, width: 3840 },
      seed: 42,
      steps: 30,
      guidance: 7.5,
      priority: 1,
      metadata: { team: 'shop' },
    });
  });

  it('with the decode mode and a different key, if that changes the image', async () => {
    const catalog = 'id,prompt,size\nsmall,apple,512\nlarge,apple,4k\n';
    const tiled = await jobsOf(catalog);
    const whole = await jobsOf(catalog, { defaults: { ...options.defaults, decode: 'whole' } });
    expect(tiled.map((job) => 'decode' in job)).toEqual([false, false]);
    expect(whole[0]).toEqual(tiled[0]);
    expect(whole[1]).toEqual({ ...tiled[1], decode: 'whole', renderKey: expect.any(String) });
    expect(whole[1]!.renderKey).not.toBe(tiled[1]!.renderKey);
  });

  it('with a quality for lossy formats only', async () => {
    const defaults = { size: '512', quality: 80 } as const;
    expect(await jobsOf('prompt\napple\n', { defaults: { ...defaults, format: 'webp' } })).toMatchObject([
      { quality: 80 },
    ]);
    expect(await jobsOf('prompt\napple\n', { defaults: { ...defaults, format: 'png' } })).toMatchObject([
      { quality: null },
    ]);
  });
});

describe('the shape of an image', () => {
  it('is exactly the nearest bin for an aspect', async () => {
    const wide = { size: '512', bin: { height: 416, width: 608 }, width: 608, height: 416 };
    for (const aspect of ['3:2', '3 : 2', '1.5', '1.5:1']) expect(await shapeOf('aspect', aspect)).toEqual(wide);
  });

  it('is exact to the pixel for a width and height, next to the sampled bin', async () => {
    expect(await shapeOf('width,height', '640,360')).toEqual({
      size: '512',
      bin: { height: 384, width: 672 },
      width: 640,
      height: 360,
    });
  });

  it('may be twice the bin, and no more', async () => {
    expect(await shapeOf('width,height', '1024,1024')).toMatchObject({ width: 1024, height: 1024 });
    expect(await problemsOf('prompt,width,height\napple,1025,1024\n')).toEqual([
      'line 2, width: expected at most 2 times the 512×512 of size 512, or a larger size (4k), found 1025×1024',
    ]);
    expect(await problemsOf('prompt,size,width,height\napple,4k,5761,5760\n')).toEqual([
      'line 2, width: expected at most 2 times the 2880×2880 of size 4k, found 5761×5760',
    ]);
  });
});

describe('the steps of an image', () => {
  const quick = { bundle: { ...options.bundle, name: 'sigma-lcm', maxSteps: 50 } };

  it("may be up to the bundle's limit", async () => {
    expect(await jobsOf('prompt,steps\napple,50\n', quick)).toMatchObject([{ steps: 50 }]);
    expect(await problemsOf('prompt,steps\napple,50\npear,51\n', quick)).toEqual([
      'line 3, steps: expected at most 50, the limit of bundle sigma-lcm, found 51',
    ]);
  });

  it("are refused with the file's name for the column", async () => {
    const named = { ...quick, columns: { steps: 'Rounds' } };
    expect(await problemsOf('prompt,Rounds\napple,60\n', named)).toEqual([expect.stringMatching(/^line 2, Rounds: /)]);
  });

  it('are not limited by a bundle without a limit, such as in batches of an earlier version', async () => {
    expect(await jobsOf('prompt,steps\napple,200\n')).toMatchObject([{ steps: 200 }]);
  });

  it('have the same render key with and without a limit', async () => {
    const [told] = await jobsOf('prompt,steps\napple,50\n', { bundle: { ...options.bundle, maxSteps: 50 } });
    const [untold] = await jobsOf('prompt,steps\napple,50\n');
    expect(told?.renderKey).toBe(untold?.renderKey);
  });
});

describe('variants', () => {
  it('are separate jobs, numbered from 1, with seeds that count up from the row’s', async () => {
    const jobs = await jobsOf('id,prompt,seed,variants\napple,an apple,4294967294,3\n');
    expect(jobs.map(({ id, seed }) => [id, seed])).toEqual([
      ['apple-1', 4_294_967_294],
      ['apple-2', 4_294_967_295],
      ['apple-3', 0],
    ]);
    expect(new Set(jobs.map(({ renderKey }) => renderKey)).size).toBe(3);
  });

  it('start with the image of the row without variants', async () => {
    const [one] = await jobsOf('prompt\nan apple\n');
    const [first] = await jobsOf('prompt,variants\nan apple,4\n');
    expect(first?.renderKey).toBe(one?.renderKey);
  });

  it('must not have another row’s id', async () => {
    expect(await problemsOf('id,prompt,variants\napple,an apple,2\napple-2,a pear,\n')).toEqual([
      'line 3, id: expected an id that no other row has, found "apple-2", already used in line 2',
    ]);
  });
});
