import { describe, expect, it } from 'vitest';
import { expanding } from './expansion/expanding.ts';
import { jobsOf, plan, problemsOf } from './planning.ts';

const naming = '{category}/{id}-{seed}.{ext}';

const namesOf = async (catalog: string, changes: Parameters<typeof jobsOf>[1] = {}) =>
  (await jobsOf(catalog, changes)).map(({ id, copyAs }) => [id, copyAs]);

describe('ids of every script', () => {
  it('are used as they are, in NFC, without separate names', async () => {
    expect(await namesOf('id,prompt\nGro\u0308ße/äpfel-1,a\n图标/苹果,b\nالعربية,c\n')).toEqual([
      ['Größe/äpfel-1', undefined],
      ['图标/苹果', undefined],
      ['العربية', undefined],
    ]);
  });

  it('get the suffixes of variants and choices in their last part', async () => {
    const catalog = 'id,prompt,variants\n图标/苹果,a {red|blue} apple,2\n';
    const ids = (await namesOf(catalog, expanding({}))).map(([id]) => id);
    expect(ids.toSorted()).toEqual(['图标/苹果-blue-1', '图标/苹果-blue-2', '图标/苹果-red-1', '图标/苹果-red-2']);
  });

  it('must differ in more than case, composition or joiners, over all folders', async () => {
    expect(await problemsOf('id,prompt\nGröße/Äpfel,a\ngro\u0308sse/äpfel,b\nmi\u200dx,c\n')).toEqual([
      'line 3, id: expected an id that no other row has, found "grösse/äpfel", already used in line 2',
    ]);
    expect(await problemsOf('id,prompt\nمی\u200cخواهم,a\nمیخواهم,b\n')).toHaveLength(1);
  });

  it('cannot make an image a folder, whatever the order', async () => {
    const found = (id: string, line: number) =>
      `line 3, id: expected an id that does not clash with others, found "${id}": its image and that of line ${line} would be a file and a folder of the same name`;
    expect(await problemsOf('id,prompt\na,x\nA.PNG/b,y\n')).toEqual([found('A.PNG/b', 2)]);
    expect(await problemsOf('id,prompt\na.png/b,y\na,x\n')).toEqual([found('a', 2)]);
    expect(await namesOf('id,prompt\na,x\na/b,y\n')).toHaveLength(2);
  });

  it.each([
    'round-2/x',
    'Manifest.json/x',
    'contact-sheet-2.html/x',
    'changes.csv/x',
    'Manifest',
    'contact-sheet',
    'contact-sheet-2',
    'manifest-1-2',
  ])("must not be a name of the batch's own files: %s", async (id) => {
    expect(await problemsOf(`id,prompt\n${id},a\n`)).toEqual([
      `line 2, id: expected an id that works as a file name, found "${id}": the batch uses that name for its own files`,
    ]);
  });

  it('are limited to what a store can hold with its prefixes and suffixes, whatever the template', async () => {
    const id = (parts: number) => Array(parts).fill('x'.repeat(99)).join('/');
    const tooLong = expect.stringMatching(/^line 2, id: expected .*more than 780 bytes/);
    expect(await problemsOf(`id,prompt\n${id(8)},a\n`)).toEqual([tooLong]);
    expect(await problemsOf(`id,prompt\n${id(8)},a\n`, { naming: '{seed}.{ext}' })).toEqual([tooLong]);
    const variants = `id,prompt,variants\n${id(7)}/${'x'.repeat(76)},a,100\n`;
    expect((await problemsOf(variants))[0]).toMatch(/^line 2, id: .*more than 780 bytes$/);
    expect(await jobsOf(variants, { naming: '{seed}.{ext}' })).toHaveLength(100);
  });
});

describe('a naming template', () => {
  it('names copies, and does not affect their images', async () => {
    const catalog = 'id,prompt,category,seed\nfox,a fox,Tiere,7\nbär/1,a bear,Tiere,8\n';
    const [named, plain] = [await jobsOf(catalog, { naming }), await jobsOf(catalog)];
    expect(named.map(({ copyAs }) => copyAs)).toEqual(['Tiere/fox-7.png', 'Tiere/bär/1-8.png']);
    expect(named.map(({ copyAs: _, ...job }) => job)).toEqual(plain);
  });

  it('may use fields of the job, the format, and any column', async () => {
    const jpeg = { size: '512', format: 'jpeg', quality: 90 } as const;
    const catalog = 'prompt,id,Used for,constructor\na fox,f,Home page,x\n';
    const template = '{Used for}/{constructor}-{id}-{width}x{height}.{ext}';
    expect(await namesOf(catalog, { naming: template, defaults: jpeg })).toEqual([['f', 'Home page/x-f-512x512.jpg']]);
  });

  it('reports every row without a name, with its line', async () => {
    const catalog = 'id,prompt,category\na,x,\nb,y,icons\nc,z,..\nd,w,nul\n';
    expect(await problemsOf(catalog, { naming: '{category}/{id}.{ext}' })).toEqual([
      'line 2, --name: expected a name for every image, found nothing in category',
      expect.stringMatching(
        /^line 4, --name: expected a name for every image, found "..\/c.png": a part that begins with/,
      ),
      expect.stringMatching(/^line 5, --name: .*"nul\/d.png": a part that is a device name on Windows$/),
    ]);
  });

  it.each([
    ['csv', 'id,prompt,category\na,x,one\nb,y,two\n'],
    ['jsonl', '{"id":"a","prompt":"x"}\n{"id":"b","prompt":"y","category":"two"}\n'],
  ] as const)('with an unknown field is one problem, with a suggestion: %s', async (format, catalog) => {
    expect(await problemsOf(catalog, { format, naming: '{categry}/{id}.{ext}' })).toEqual([
      expect.stringMatching(
        /^--name: expected fields among ext, id, .*category, found \{categry\}; did you mean \{category\}\?$/,
      ),
    ]);
    expect(await problemsOf('id,prompt,category\na,x,\nb,y,\n', { naming: '{category}/{id}.{ext}' })).toHaveLength(2);
  });

  it('reports every row whose name is already used, with both lines', async () => {
    const catalog = 'id,prompt,category\na,x,Icons\nb,y,icons\nc,z,icons.png\n';
    expect(await problemsOf(catalog, { naming: '{category}.{ext}' })).toEqual([
      'line 3, --name: expected a name that no other row has, found "icons.png", already used in line 2',
    ]);
    expect(await problemsOf(catalog, { naming: '{category}/{size}.{ext}' })).toEqual([
      'line 3, --name: expected a name that no other row has, found "icons/512.png", already used in line 2',
    ]);
  });

  it('does not allow two rows with the same id', async () => {
    expect(await problemsOf('id,prompt,category\na,x,one\nA,y,two\n', { naming: '{category}/{id}.{ext}' })).toEqual([
      'line 3, id: expected an id that no other row has, found "A", already used in line 2',
    ]);
  });

  it("cannot use the names of the batch's own files", async () => {
    expect(await problemsOf('id,prompt,category\na,x,round-1\n', { naming: '{category}/{id}.{ext}' })).toEqual([
      'line 2, --name: expected a name that works as a file name, found "round-1/a.png": the batch uses that name for its own files',
    ]);
  });

  it('is refused before anything is read if it is invalid', async () => {
    await expect(plan('nonsense', { naming: '{id}.png' })).rejects.toThrow(
      '--name: expected a name that ends in .{ext}',
    );
  });
});
