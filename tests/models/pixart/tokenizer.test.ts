import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { UserError } from '../../../domain/user-error.ts';
import { openBundle } from '../../../models/pixart/bundle.ts';
import { bundleFolder } from '../../../models/pixart/installed-bundles.ts';
import { loadTokenizer, type Tokenize } from '../../../models/pixart/tokenizer.ts';
import { GOLDEN } from './golden-case.ts';

const PROMPTS = fileURLToPath(new URL('../../catalogs/parti-prompts.tsv', import.meta.url));

type Token = { id: number; content: string; single_word: boolean };

type Definition = { model: object; added_tokens: Token[] };

const FLAGS = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: false };

const TOKEN = { ...FLAGS, id: 700, content: 'owl' };

const withModel = (definition: Definition, model: object) => ({
  ...definition,
  model: { ...definition.model, ...model },
});

const withTokens = (definition: Definition, added: Definition['added_tokens']) => ({
  ...definition,
  added_tokens: [...definition.added_tokens, ...added].sort((a, b) => a.id - b.id),
});

const sequence = (field: string, type: string) => ({ type: 'Sequence', [field]: [{ type }] });

const replace = (pattern: object, content: string) => ({ type: 'Replace', pattern, content });

/** That of a golden bundle with a changed tokenizer.json, or with none where there is nothing to write. */
async function tokenizerOf(
  name: string,
  change: (definition: Definition) => unknown,
  described: object = { singleWord: true },
): Promise<Tokenize> {
  const bundle = await openBundle(path.join(GOLDEN, 'bundles', name));
  const { maxTokens, ...tokenizer } = bundle.description.tokenizer;
  const definition = JSON.parse(await readFile(path.join(bundle.folder, 'tokenizer.json'), 'utf8'));
  const folder = await mkdtemp(path.join(tmpdir(), 'tokenizer-'));
  try {
    const changed = change(definition);
    if (changed !== null) await writeFile(path.join(folder, 'tokenizer.json'), JSON.stringify(changed));
    const description = { ...bundle.description, tokenizer: { ...tokenizer, ...described, maxTokens: 1000 } };
    return await loadTokenizer({ ...bundle, folder, description });
  } finally {
    await rm(folder, { recursive: true });
  }
}

type Expected = { catalog: number[][]; texts: { text: string; ids: number[] }[] };

describe.each(['tiny-epsilon', 'tiny-velocity'])('the tokenizer of %s', (name) => {
  const folder = path.join(GOLDEN, 'bundles', name);
  const expected: Expected = JSON.parse(readFileSync(path.join(GOLDEN, `stages/tokens-${name}.json`), 'utf8'));
  const prompts = readFileSync(PROMPTS, 'utf8').split('\n').slice(1).filter(Boolean);
  let tokenize: Tokenize;
  let limit: number;
  let eos: number;

  beforeAll(async () => {
    const bundle = await openBundle(folder);
    tokenize = await loadTokenizer(bundle);
    ({ maxTokens: limit, eosTokenId: eos } = bundle.description.tokenizer);
  });

  const truncated = (ids: number[]): number[] => (ids.length > limit ? [...ids.slice(0, limit - 1), eos] : ids);

  test('gives the ids of the Rust tokenizer for all 1,632 PartiPrompts', () => {
    const texts = prompts.map((line) => line.split('\t')[0]!);
    expect(texts).toHaveLength(1632);
    texts.forEach((text, i) => {
      const ids = expected.catalog[i]!;
      expect(tokenize(text), text).toMatchObject({ ids: truncated(ids), count: ids.length });
    });
  });

  test.each(expected.texts)('gives the ids of the Rust tokenizer for $text', ({ text, ids }) => {
    expect(tokenize(text)).toMatchObject({ ids: truncated(ids), count: ids.length });
  });

  test('tells without looking for tokens how many a text has at most, where it knows them all', () => {
    for (const line of prompts) {
      const text = line.split('\t')[0]!;
      const { count, unknown } = tokenize(text);
      expect(tokenize.atMost(text), text).toBeGreaterThanOrEqual(count);
      if (Number.isFinite(tokenize.atMost(text))) expect(unknown).toBe('none');
    }
  });

  test('keeps the end token of a text that is too long', () => {
    const { ids, count } = tokenize('a very long caption about many things '.repeat(20));
    expect(count).toBeGreaterThan(limit);
    expect(ids).toHaveLength(limit);
    expect(ids.at(-1)).toBe(eos);
  });
});

type Added = { bundle: string; added: Token[]; texts: { text: string; ids: number[] }[] };

const ADDED: Added[] = JSON.parse(readFileSync(path.join(GOLDEN, 'stages/added-tokens.json'), 'utf8'));

describe.each(['tiny-epsilon', 'tiny-velocity'])('with tokens added to it, the tokenizer of %s', (name) => {
  const cases = ADDED.filter(({ bundle }) => bundle === name);
  const flagsOf = ({ added }: Added) => {
    const { id, content, ...flags } = added[0]!;
    return Object.entries(flags).flatMap(([flag, isSet]) => (isSet ? [flag] : []));
  };

  test.each(cases.map((one) => [flagsOf(one).join(' ') || 'no flag', one] as const))(
    'gives the ids of the Rust tokenizer (%s and so on)',
    async (_, { added, texts }) => {
      const tokenize = await tokenizerOf(name, (definition) => withTokens(definition, added));
      for (const { text, ids } of texts) expect(tokenize(text).ids, JSON.stringify(text)).toEqual(ids);
    },
  );
});

describe('loadTokenizer refuses', () => {
  test.each<[string, string, (definition: Definition) => unknown, RegExp]>([
    [
      'characters as bytes',
      'tiny-epsilon',
      (d) => withModel(d, { byte_fallback: true }),
      /model Unigram with byte_fall/,
    ],
    ['no unknown token', 'tiny-epsilon', (d) => withModel(d, { unk_id: null }), /model Unigram without unk_id/],
    ['words by pieces', 'tiny-epsilon', (d) => withModel(d, { type: 'WordPiece' }), /model WordPiece/],
    ['chance', 'tiny-velocity', (d) => withModel(d, { dropout: 0.1 }), /model BPE with dropout/],
    ['ends of words', 'tiny-velocity', (d) => withModel(d, { end_of_word_suffix: '</w>' }), /end_of_word_suffix/],
    [
      'BPE without bytes',
      'tiny-velocity',
      (d) => ({ ...d, pre_tokenizer: null }),
      /BPE without pre_tokenizer ByteLevel/,
    ],
    [
      'lower case',
      'tiny-epsilon',
      (d) => ({ ...d, normalizer: sequence('normalizers', 'Lowercase') }),
      /normalizer Low/,
    ],
    [
      'digits',
      'tiny-epsilon',
      (d) => ({ ...d, pre_tokenizer: sequence('pretokenizers', 'Digits') }),
      /pre_tokenizer Dig/,
    ],
    [
      'a replacement with "$"',
      'tiny-epsilon',
      (d) => ({ ...d, normalizer: replace({ String: 'a' }, '$&') }),
      /Replace of/,
    ],
    [
      'a pattern of another library',
      'tiny-epsilon',
      (d) => ({ ...d, normalizer: replace({ Regex: '\\h+' }, '') }),
      /Replace/,
    ],
    [
      'an id of another file',
      'tiny-epsilon',
      (d) => withTokens(d, [{ ...TOKEN, id: 900 }]),
      /"owl" with id 900 \(expected 700/,
    ],
    [
      'a token twice',
      'tiny-epsilon',
      (d) => withTokens(d, [TOKEN, { ...TOKEN, id: 701 }]),
      /"owl" with id 701 \(.* once/,
    ],
  ])('%s', async (_, bundle, change, message) => {
    const loading = tokenizerOf(bundle, change);
    await expect(loading).rejects.toThrow(UserError);
    await expect(loading).rejects.toThrow(message);
    await expect(loading).rejects.toThrow(/other token ids .* Export a checkpoint whose tokenizer does not use them/s);
  });

  test('a file of another kind', async () => {
    const loading = tokenizerOf('tiny-epsilon', () => ({ model: {} }));
    await expect(loading).rejects.toThrow(UserError);
    await expect(loading).rejects.toThrow(/tokenizer\.json is not a tokenizer:/);
  });

  test('a bundle whose tokenizer is missing, and says what checks the others', async () => {
    const missing = tokenizerOf('tiny-epsilon', () => null);
    await expect(missing).rejects.toThrow(UserError);
    await expect(missing).rejects.toThrow(/tokenizer\.json: expected a tokenizer in JSON.*bundle verify/);
  });

  test('words found within words, where the bundle is of an exporter that knew no better', async () => {
    const words = (d: Definition) => withTokens(d, [{ ...TOKEN, single_word: true }]);
    await expect(tokenizerOf('tiny-epsilon', words, {})).rejects.toThrow(
      /"owl" as a whole word.*xport the checkpoint again/s,
    );
  });
});

test('white space that is stripped at the ends of a text is what Unicode calls so', async () => {
  const strip = { type: 'Strip', strip_left: true, strip_right: true };
  const tokenize = await tokenizerOf('tiny-epsilon', (definition) => ({ ...definition, normalizer: strip }));
  // By the Rust library: the byte order mark stays, the next line goes.
  expect(tokenize('\ufeffcat\u0085').ids).not.toEqual(tokenize('cat').ids);
  expect(tokenize('\u0085cat\u0085').ids).toEqual(tokenize('cat').ids);
});

test('an ordinary prompt for the shipped bundle is known to be read whole without its tokens', async () => {
  const tokenize = await loadTokenizer(await openBundle(await bundleFolder('pixart-icons')));
  expect(tokenize.atMost('a red apple')).toBe('a red apple'.length + 1);
  expect(tokenize.atMost('a red äpple')).toBe(Number.POSITIVE_INFINITY);
});
