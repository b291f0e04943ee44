const FLAGS =
  'ar aspect no v version s stylize seed q quality c chaos w weird style niji iw stop tile raw sref cref oref hd test uplight repeat r ' +
  'steps cfg[_-]?scale cfg guidance width height prompt negative[_-]?prompt n_iter batch_size sampler(?:_name)? sd_model';

/** A flag whose two hyphens a word processor has turned into a dash: " —ar 16:9". */
export const DASHED_FLAG = new RegExp(
  `(?<=^|\\s)[–—]{1,2}(?:${FLAGS.replaceAll(' ', '|')})(?:[\\s=](?![–—])\\S{1,40}|$)`,
  'i',
);

/**
 * Emphasis, tags and flags that other tools interpret; here they are plain text. The patterns rarely match prose or code such
 * as "(c)", "16:9", "[sic]", "C++", "std::vector", "DO NOT BREAK GLASS". Lengths are bounded, so that no text takes long.
 *
 * Sources: AUTOMATIC1111 (modules/prompt_parser.py, modules/extra_networks.py), ComfyUI (comfy/sd1_clip.py), compel for InvokeAI
 * (docs/syntax.md), SwarmUI (docs/Features/Prompt Syntax.md), NovelAI, Midjourney's parameters and multi-prompts.
 */
const MARKS: readonly RegExp[] = [
  // (flat:1.3): a weight is a small number, and the weighted text does not end in a digit, unlike a ratio or a time.
  /\([^()]{0,200}[^()\d\s]\s{0,3}:\s{0,3}-?(?:\d(?:\.\d{1,9})?|\.\d{1,9})\s{0,3}\)/,
  // ((red)), [[red]], {{red}}
  /\(\([^()]{1,200}\)\)/,
  /\[\[[^[\]]{1,200}\]\]/,
  /\{\{[^{}]{1,200}\}\}/,
  // [glossy], [cat:dog:0.5], [cat|dog]
  /\[(?!sic\b)[^[\]]{0,200}\p{L}{2}[^[\]]{0,200}\]/iu,
  // <lora:foo:0.8>, <segment[1]:face>, and <my-style>, which names an embedding; HTML's own tags are removed by cleaning.
  /<[a-z][\w-]{0,40}(?:\[[^\]<>]{0,40}\])?:[^<>]{0,200}>/i,
  /<(?!person>|\/|(?:b|i|u|s|p|a|br|em|strong|sub|sup|small|span|div|li|ul|ol|h[1-6])\b)[a-z][\w-]{1,80}>/i,
  /\bembedding:[\w.-]{1,80}/i,
  // (red)++, (red)1.2, ("a", "b").blend(1, 1), red++
  /\([^()]{0,200}\)(?:\+{1,4}|-{1,4}|\d\.\d{1,9})(?=[\s,.)]|$)/,
  /\)\.(?:and|blend|swap)\(/,
  /(?<![\p{L}\d])\p{L}{3,80}(?:\+\+|--)(?=[\s,.)]|$)/u,
  // BREAK, AND: alone in capitals among words that are not.
  /(?:BREAK|ADDCOMM|ADDROW|ADDCOL|ADDBASE)(?<=(?:^|[\s,.;])[A-Z]{5,7})(?<!\p{Lu}{2}[\s,.;]{1,3}[A-Z]{5,7})(?=$|[\s,.;])(?![\s,.;]{1,3}\p{Lu}{2})/u,
  /AND(?<=[\p{Ll}\d)\]]\s{1,3}AND)(?=\s{1,3}[\p{Ll}\d([])/u,
  // hot::2 dog, hot:: dog
  /[^\s,:]{0,40}[\p{L}\d)]::\s?(?:-?\d{0,3}\.?\d{1,9})?(?=[\s,]|$)/u,
  // a street|at night|in rain: AUTOMATIC1111's prompt matrix; inside brackets it is another mark.
  /^[^{}[\]<>|]{1,400}[^{}[\]<>|\s]\|[^{}[\]<>|\s][^{}[\]<>]*$/,
  // What AUTOMATIC1111 writes below a prompt, and Midjourney's command before it.
  /(?:^|\n)\s{0,9}negative prompt:/i,
  /\bSteps: \d+, (?:Sampler|Schedule type|CFG scale|Seed|Size): /i,
  /^\/imagine\b(?: prompt:)?/i,
  // --ar 16:9
  new RegExp(`(?<=^|\\s)--(?:${FLAGS.replaceAll(' ', '|')})(?:[\\s=](?!--)\\S{1,40}|\\s|$)`, 'i'),
  // --ar16:9
  /(?<=^|\s)--ar\d{1,5}:\d{1,5}/i,
  DASHED_FLAG,
];

/** Characters that each mark contains. Most prompts have none, and searching for all marks takes as long as reading the row. */
const TRACE = /[([{<:|)–—]|\+\+|--|BREAK|ADD|AND|^\//;

/** The first mark in a text, as written; `null` if there is none. */
export function findMark(text: string): string | null {
  if (!TRACE.test(text)) return null;
  let first: RegExpExecArray | null = null;
  for (const mark of MARKS) {
    const found = mark.exec(text);
    if (found !== null && (first === null || found.index < first.index)) first = found;
  }
  return first?.[0].trim() ?? null;
}
