import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { jobsOf, plan, problemsOf } from '../planning.ts';
import { expanding } from './expanding.ts';

const colours = { colours: '# of the season\nred\n\n  dark {green|blue}\n' };

const promptsOf = async (cell: string, files = {}, settings = {}): Promise<string[]> =>
  (await plan(`prompt\n"${cell}"\n`, expanding(files, settings))).shards.flatMap(({ jobs }) =>
    jobs.map(({ prompt }) => prompt),
  );

describe('a row with choices', () => {
  it('is an ordinary row without expansion', async () => {
    expect(await jobsOf('prompt\na {red|blue} __colours__ \\{cup\\}\n')).toMatchObject([
      { prompt: 'a {red|blue} __colours__ \\{cup\\}' },
    ]);
  });

  it('makes every combination, varying the last choice fastest, with ids from the choices', async () => {
    const catalog = 'id,prompt,steps,team\nhero,a {red|dark blue} {cup|},10|20,shop\n';
    const jobs = (await plan(catalog, expanding())).shards.flatMap((shard) => shard.jobs);
    expect(jobs.map(({ id, prompt, steps }) => [id, prompt, steps])).toEqual([
      ['hero-red-cup-10', 'a red cup', 10],
      ['hero-red-cup-20', 'a red cup', 20],
      ['hero-red-_-10', 'a red', 10],
      ['hero-red-_-20', 'a red', 20],
      ['hero-dark_blue-cup-10', 'a dark blue cup', 10],
      ['hero-dark_blue-cup-20', 'a dark blue cup', 20],
      ['hero-dark_blue-_-10', 'a dark blue', 10],
      ['hero-dark_blue-_-20', 'a dark blue', 20],
    ]);
    expect(jobs[6]?.metadata).toEqual({
      'choice:row': 'hero',
      'choice:1': 'dark blue',
      'choice:2': '',
      'choice:steps': '10',
      team: 'shop',
    });
  });

  it('without an id makes the same ids, seeds and images as rows written out by hand', async () => {
    const expanded = await jobsOf('prompt,steps,note\na {red|blue} cup,10|,x\n', expanding());
    const byHand = await jobsOf('prompt,steps,note\na red cup,10,x\na red cup,,x\na blue cup,10,x\na blue cup,,x\n');
    const facts = (jobs: typeof byHand) =>
      jobs.map(({ id, seed, renderKey }) => `${id} ${seed} ${renderKey}`).toSorted();
    expect(facts(expanded)).toEqual(facts(byHand));
    expect(expanded[0]?.metadata['choice:row']).toBe('line 2');
  });

  it('keeps the names of its images when an alternative is added', async () => {
    const ids = async (cell: string) => (await jobsOf(`id,prompt\nhero,"${cell}"\n`, expanding())).map(({ id }) => id);
    const before = await ids('a {red|Übergrün} {big|} cup');
    const after = await ids('a {yellow|red|Übergrün} {small|big|} cup');
    expect(before).toHaveLength(4);
    expect(after).toEqual(expect.arrayContaining(before));
  });

  it('makes variants of every combination', async () => {
    const jobs = await jobsOf('id,prompt,variants,seed\nhero,{a|b},2,5\n', expanding());
    expect(jobs.map(({ id, seed }) => [id, seed])).toEqual([
      ['hero-a-1', 5],
      ['hero-a-2', 6],
      ['hero-b-1', 5],
      ['hero-b-2', 6],
    ]);
  });

  it('shares one image between equal combinations, with different ids', async () => {
    const jobs = await jobsOf('id,prompt\nhero,a {red|red}{| cup| cup}\n', expanding());
    expect(jobs.map(({ id }) => id).toSorted()).toEqual(
      ['hero-red-_', 'hero-red-cup', 'hero-red-cup_2', 'hero-red-__2', 'hero-red-cup_3', 'hero-red-cup_4'].toSorted(),
    );
    expect(new Set(jobs.map(({ renderKey }) => renderKey)).size).toBe(2);
  });

  it('expands sizes, aspects, seeds, steps and guidance; an empty alternative stands for an empty cell', async () => {
    const catalog = 'id,prompt,size,aspect,seed,guidance\nx,a cup,256|512,1:1|16:9,1|2,3|\n';
    const jobs = await jobsOf(catalog, expanding());
    expect(jobs).toHaveLength(16);
    expect(jobs.find(({ id }) => id === 'x-512-16x9-2-_')).toMatchObject({
      size: '512',
      bin: { width: 672, height: 384 },
      seed: 2,
      guidance: 4.5,
      metadata: { 'choice:aspect': '16:9', 'choice:guidance': '' },
    });
  });

  it('leaves a row without choices exactly as it is, and removes the backslash of an escaped brace', async () => {
    const catalog = 'prompt\na  cup C:\\temp\na \\{real\\}  brace\n';
    expect((await jobsOf(catalog, expanding())).map(({ prompt, metadata }) => [prompt, metadata])).toEqual([
      ['a  cup C:\\temp', {}],
      ['a {real}  brace', {}],
    ]);
  });
});

describe('terms files', () => {
  it('have one term per line, which may contain choices and other files, and label the choices', async () => {
    const files = { ...colours, 'sky/times': 'night\n__colours__ dawn\n' };
    expect(await promptsOf('__colours__ at __sky/times__', files)).toHaveLength(12);
    const [job] = await jobsOf('id,prompt\nx,__colours__ on __colours__ at __sky/times__\n', expanding(files));
    expect(job?.metadata).toMatchObject({
      'choice:colours': expect.any(String),
      'choice:colours.2': expect.any(String),
      'choice:sky/times': expect.any(String),
    });
  });

  test.each([
    ['__sizes__', {}, 'expected a terms file sizes.txt in the folder, found none'],
    ['__a__', { a: '# nothing\n\n' }, 'expected a term in a.txt, found none'],
    ['__a__', { a: 'x\n__b__', b: '__a__' }, 'expected terms files without a cycle, found a → b → a'],
    [
      '__a__',
      { a: 'fine\n{open' },
      'expected a.txt, line 2: a "}" for every "{", or "\\{" for the character itself, found "{open" at character 1',
    ],
    [
      '__a__',
      { a: 'bell \u0007' },
      'expected text without control characters, found U+0007 at character 6 of "bell \\u0007"',
    ],
  ])('%s with %j is refused', async (cell, files, message) => {
    expect(await problemsOf(`prompt\n${cell}\n`, expanding(files))).toEqual([`line 2, prompt: ${message}`]);
  });
});

describe('an expansion that is too large', () => {
  const twelveZeros = '{0|1|2|3|4|5|6|7|8|9}'.repeat(12);

  it('of 10¹² is refused at once with its count, together with all other problems', async () => {
    expect(await problemsOf(`prompt,steps\n${twelveZeros},\na cup,-1\n`, expanding())).toEqual([
      'line 2: expected at most 1000 combinations per row (--max-per-row), or a sample of them (--sample), found 1,000,000,000,000',
      'line 3, steps: expected a whole number from 1 to 200, found "-1"',
    ]);
  });

  it('is counted even if its count has thousands of digits', async () => {
    const deep = Object.fromEntries(Array.from({ length: 19 }, (_, i) => [`t${i}`, `__t${i + 1}__`.repeat(50)]));
    const files = { ...deep, t19: 'a\nb' };
    const [problem] = await problemsOf('prompt\n__t0__\n', expanding(files));
    expect(problem).toMatch(/found more than can be counted$/);
    const [drawing] = await problemsOf('prompt\n__t0__\n', expanding(files, { sample: 3 }));
    expect(drawing).toMatch(/expected fewer combinations to sample from/);
  });

  it('can be sampled: distinct combinations, the same for the same row and seed', async () => {
    const settings = { sample: 40, sampleSeed: 1 };
    const drawn = await promptsOf(twelveZeros, {}, settings);
    expect(new Set(drawn).size).toBe(40);
    expect(await promptsOf(twelveZeros, {}, settings)).toEqual(drawn);
    expect(await promptsOf(twelveZeros, {}, { ...settings, sampleSeed: 2 })).not.toEqual(drawn);
    expect(await promptsOf('{a|b|c}', {}, settings)).toEqual(['a', 'b', 'c']);
  });

  it('reports a problem of a row with many combinations once', async () => {
    expect(await problemsOf('prompt,size\n{a|b|c|d},999\n', expanding())).toHaveLength(1);
  });

  it('over a million jobs in all is refused before they are made', async () => {
    const catalog = `prompt,variants\na cup,\n${'{0|1|2|3|4|5|6|7|8|9}'.repeat(3)},1000\n`;
    expect(await problemsOf(catalog, expanding())).toEqual(['line 3: expected at most 1000000 jobs, found more']);
  });
});

test('every row gets its images, and their ids are unique even ignoring case', async () => {
  const cell = fc
    .array(fc.constantFrom('{a|b}', '{a|A}', '{|x y}', '__colours__', ' cup', 'é', '\\{', '{ä{|1}|z}'), {
      minLength: 1,
      maxLength: 4,
    })
    .map((parts) => parts.join(''));
  await fc.assert(
    fc.asyncProperty(fc.array(cell, { minLength: 1, maxLength: 4 }), fc.boolean(), async (cells, hasIds) => {
      const rows = cells.map((text, i) => `${hasIds ? `row${i}` : ''},"cup ${text}"`);
      const jobs = await jobsOf(`id,prompt\n${rows.join('\n')}\n`, expanding(colours));
      expect(new Set(jobs.map(({ id }) => id.toLowerCase())).size).toBe(jobs.length);
      expect(new Set(jobs.map(({ line }) => line)).size).toBe(cells.length);
    }),
    { numRuns: 60 },
  );
});

describe('a terms file', () => {
  const hair = { 'hair color': 'red\ngreen\n' };

  it('may have spaces in its name', async () => {
    expect(await promptsOf('a __hair color__ apple', hair)).toEqual(['a red apple', 'a green apple']);
    const [job] = await jobsOf('prompt\na __hair color__ apple\n', expanding(hair));
    expect(job?.metadata).toMatchObject({ 'choice:hair color': 'red' });
  });

  it.each([
    ['red\n2::green\n', /colours\.txt, line 2: terms without weights; .*"2::green" at character 1$/],
    ['red\n .5 :: green\n', /colours\.txt, line 2: terms without weights/],
    ['red\ngreen # the good one\n', /colours\.txt, line 2: a comment on a line of its own, or the term without " # "/],
    ['{@red|green}\n', /colours\.txt, line 1: alternatives without "~", "@" or "!"/],
    ['<random[1-2]:red,green>\n', /colours\.txt, line 1: choices as \{a\|b\}/],
  ])("with another tool's syntax is refused with its line: %j", async (text, message) => {
    expect(await problemsOf('prompt\na __colours__ apple\n', expanding({ colours: text }))).toEqual([
      expect.stringMatching(message),
    ]);
  });

  it('may have a colon or a hash in a term', async () => {
    const colours = 'ratio 2:1\na C# book\n#1 dad\n';
    expect(await promptsOf('__colours__', { colours })).toEqual(['ratio 2:1', 'a C# book']);
  });
});
