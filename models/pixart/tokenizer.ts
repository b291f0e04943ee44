import { readFile } from 'node:fs/promises';
import { Tokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { UserError } from '../../domain/user-error.ts';
import { addedTokenFinder } from './added-tokens.ts';
import { type Bundle, bundleFile } from './bundle.ts';
import { charsmapNormalizer } from './charsmap.ts';
import { isPlain } from './python-regex.ts';
import {
  misnumbered,
  type TokenizerDefinition,
  type TokenizerPart,
  tokenizerSchema,
  unsupported,
} from './tokenizer-definition.ts';

export type Tokens = {
  /** Token ids, ending with the end token; at most the bundle's limit. */
  ids: number[];
  /** How many there were before truncation. */
  count: number;
  /** How much of the text the model has no token for, as of emoji and letters of other scripts; `all` leaves no word. */
  unknown: 'none' | 'some' | 'all';
};

export type Tokenize = {
  (text: string): Tokens;
  /** The maximum number of tokens of a text, if it is known without tokenizing; otherwise infinity. */
  atMost(text: string): number;
};

/** The library's normalizer objects; its own declarations do not resolve for ES modules. */
type Normalizer = {
  normalize(text: string): string;
  config: { type: string; strip_left?: boolean; strip_right?: boolean };
  charsmap?: string | null;
  normalizers?: Normalizer[];
};

/**
 * Loads the bundle's `tokenizer.json`. A text longer than the bundle's limit loses its end, but keeps the end token, as
 * T5's tokenizer does in the reference.
 *
 * @throws UserError for a file that is missing or no tokenizer, and for a kind of tokenizer whose ids would differ from those that
 * the model was trained on
 */
export async function loadTokenizer(bundle: Bundle): Promise<Tokenize> {
  const { maxTokens, eosTokenId, singleWord } = bundle.description.tokenizer;
  const file = bundleFile(bundle, 'tokenizer.json');
  const definition = await readDefinition(file);
  if (singleWord === undefined) refuseWords(definition, file);
  const encode = encoder(definition, file);
  const end = encode('').ids.at(-1);
  if (end !== eosTokenId) {
    throw new UserError(
      `${file}: expected every text to end with token ${eosTokenId}, as bundle.json says, found ${end ?? 'none'}. If one of the two was ` +
        'edited, undo that; otherwise export the checkpoint again (docs/exporting.md).',
    );
  }
  const tokenize = (text: string): Tokens => {
    const { ids, unknown } = encode(text);
    const fits = ids.length <= maxTokens;
    return { ids: fits ? ids : [...ids.slice(0, maxTokens - 1), eosTokenId], count: ids.length, unknown };
  };
  const specials = encode('').ids.length;
  const knowsAscii = encode.isBytewise && encode(ASCII).unknown === 'none';
  const atMost = (text: string): number =>
    knowsAscii && isPlain(text) ? text.length + specials : Number.POSITIVE_INFINITY;
  return Object.assign(tokenize, { atMost });
}

const ASCII = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).join(' ');

async function readDefinition(file: string): Promise<TokenizerDefinition> {
  const parsed = tokenizerSchema.safeParse(await readJson(file));
  if (!parsed.success) throw new UserError(`${file} is not a tokenizer:\n${z.prettifyError(parsed.error)}`);
  refuse(file, unsupported(parsed.data));
  return parsed.data;
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new UserError(
      `${file}: expected a tokenizer in JSON, found ${(error as Error).message}. "npx pixart-batch bundle verify" checks the whole bundle.`,
    );
  }
}

function refuse(file: string, found: string[]): void {
  if (found.length === 0) return;
  throw new UserError(
    `${file}: prompts would get other token ids than the model was trained with, because of ${found.join(', ')}. Export a ` +
      'checkpoint whose tokenizer does not use them (docs/bundle-format.md, "Tokenizer").',
  );
}

/** Pictures by such a bundle of an earlier exporter are in stores already, drawn with these tokens found within words. */
function refuseWords({ added_tokens }: TokenizerDefinition, file: string): void {
  const words = added_tokens.filter(({ single_word }) => single_word).map(({ content }) => JSON.stringify(content));
  if (words.length === 0) return;
  throw new UserError(
    `${file} has ${words.join(', ')} as a whole word (single_word), which earlier versions also matched inside other words. ` +
      'Export the checkpoint again (docs/exporting.md), so that new images are not mistaken for earlier ones.',
  );
}

type Encode = {
  (text: string): Pick<Tokens, 'ids' | 'unknown'>;
  /** Whether a token stands for one byte of the text or more. */
  isBytewise: boolean;
};

/** The library's normalisation, splitting and model, and around them what it gets wrong. */
function encoder(definition: TokenizerDefinition, file: string): Encode {
  const { added_tokens, pre_tokenizer } = definition;
  // Without added tokens of its own: see added-tokens.ts.
  const library = new Tokenizer(
    { ...definition, added_tokens: [], pre_tokenizer: pre_tokenizer && withUnicodeSpace(pre_tokenizer) },
    {},
  );
  const { normalizer, pre_tokenizer: split, model, post_processor: surround } = library;
  refuse(file, misnumbered(definition, model.tokens_to_ids));
  if (normalizer) correct(normalizer);
  const findAddedTokens = addedTokenFinder(added_tokens, (text) => (normalizer ? normalizer.normalize(text) : text));
  const idOf = (token: string): number => model.tokens_to_ids.get(token) ?? model.unk_token_id;
  const tokensOfWord = remembered((word): string[] => model([word]));
  const wordsOf = (text: string, isFirst: boolean): string[] =>
    split ? split(text, { section_index: isFirst ? 0 : 1 }) : [text];
  // One by one: of several, the library joins what is unknown at the end of one and at the beginning of the next.
  const tokensOfText = (text: string, isFirst: boolean): string[] => wordsOf(text, isFirst).flatMap(tokensOfWord);
  const tokensOfPart = remembered((part) => tokensOfText(part, false));
  const tokensOf = isSplitAtSpaces(pre_tokenizer)
    ? (text: string) => text.split(SINGLE_SPACE).flatMap(tokensOfPart)
    : tokensOfText;
  const idsOfAdded = new Map(added_tokens.map(({ content, id }) => [content, id]));
  const special: string[] = surround ? surround([TEXT]).tokens : [TEXT];
  const idsOf = (tokens: string[]): number[] => tokens.map((token) => idsOfAdded.get(token) ?? idOf(token));
  const before = idsOf(special.slice(0, special.indexOf(TEXT)));
  const after = idsOf(special.slice(special.indexOf(TEXT) + 1));
  const encode = (text: string): ReturnType<Encode> => {
    const pieces = findAddedTokens(text).flatMap((piece): (number | string)[] =>
      'id' in piece ? [piece.id] : tokensOf(piece.text, piece.isFirst),
    );
    const ids = pieces.map((piece) => (typeof piece === 'number' ? piece : idOf(piece)));
    const isKnownWord = (piece: number | string): boolean =>
      typeof piece === 'number' || (idOf(piece) !== model.unk_token_id && !isWordless(piece));
    const hasUnknown = ids.includes(model.unk_token_id);
    const unknown = !hasUnknown ? 'none' : pieces.some(isKnownWord) ? 'some' : 'all';
    return { ids: [...before, ...ids, ...after], unknown };
  };
  const isBytewise = normalizer === null && isSplitAtSpaces(pre_tokenizer) && knowsMerged(definition.model);
  return Object.assign(encode, { isBytewise });
}

/** Whether byte pairs that the model puts together are tokens themselves. */
function knowsMerged({ vocab, merges }: TokenizerDefinition['model']): boolean {
  const known = new Set(Object.keys((vocab ?? {}) as object));
  return (
    Array.isArray(merges) &&
    merges.every((pair: string | string[]) => known.has((Array.isArray(pair) ? pair : pair.split(' ')).join('')))
  );
}

/** Catalogs have the same words over and over. What is remembered is dropped when it has become much. */
function remembered<T>(make: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const made = make(text);
    if (known.size === MOST_REMEMBERED) known.clear();
    known.set(text, made);
    return made;
  };
}

const MOST_REMEMBERED = 20_000;

/**
 * Whether a text's tokens are those of its parts, cut before each single space. GPT-2's pattern takes such a space to
 * the word behind it, and nothing that it finds goes across.
 */
const isSplitAtSpaces = (part: TokenizerPart | null | undefined): boolean =>
  part?.type === 'ByteLevel' && part.use_regex !== false && part.add_prefix_space !== true;

const SINGLE_SPACE = /(?<=\S)(?= \S)/;

/** Nothing but punctuation and what stands for a space. */
const isWordless = (token: string): boolean => !/[\p{L}\p{N}]/u.test(token);

/** Stands for a text's tokens between those that every text gets; no token is empty. */
const TEXT = '';

/** The library splits at what JavaScript calls white space; as a pattern of its own, the split is at Unicode's, as in Rust. */
function withUnicodeSpace(part: TokenizerPart): TokenizerPart {
  if (part.pretokenizers) return { ...part, pretokenizers: part.pretokenizers.map(withUnicodeSpace) };
  return part.type === 'WhitespaceSplit' ? UNICODE_SPACE_SPLIT : part;
}

const UNICODE_SPACE_SPLIT = { type: 'Split', pattern: { Regex: '\\s+' }, behavior: 'Removed', invert: false };

/**
 * The library approximates a precompiled table by Unicode's compatibility forms; here the table itself is applied. And it strips
 * what JavaScript calls white space.
 */
function correct(normalizer: Normalizer): void {
  normalizer.normalizers?.forEach(correct);
  if (normalizer.charsmap) normalizer.normalize = charsmapNormalizer(normalizer.charsmap);
  const { type, strip_left, strip_right } = normalizer.config;
  if (type !== 'Strip') return;
  const edges = [...(strip_left ? ['^\\p{White_Space}+'] : []), ...(strip_right ? ['\\p{White_Space}+$'] : [])];
  normalizer.normalize = (text) => edges.reduce((rest, edge) => rest.replace(new RegExp(edge, 'u'), ''), text);
}
