/** Replacement for a secret. */
const GONE = '…';

/** Names whose values are secrets. */
const NAME = '(?:token|secret|passw(?:or)?d|api[_-]?key|private[_-]?key(?:_id)?|access[_-]?key|secret[_-]?key)';

/**
 * Keys, tokens and signatures as they appear in messages of libraries and servers. Matches contain no quotes, so that JSON
 * stays valid; counts are bounded, so that the time stays linear in the length of the text.
 */
const SECRETS: [RegExp, string][] = [
  [/-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^"']*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|(?=["'])|$)/g, GONE],
  // https://user:password@host
  [/\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#"'\\]+@/gi, `$1${GONE}@`],
  // ?X-Goog-Signature=… &key=… &upload_id=…
  [
    /([?&;][\w.-]{0,60}(?:signature|sig|credential|token|secret|passw(?:or)?d|key|auth|code|policy|upload_id)[\w.-]{0,20}=)[^&\s"'#<>\\]+/gi,
    `$1${GONE}`,
  ],
  [/\b(authorization[\\"']*\s*[:=]\s*[\\"']*)(?:[a-z]+ +)?[^\s"'\\,;]+/gi, `$1${GONE}`],
  [/\b(bearer)\s+(?!(?:tokens?|auth\w*)\b)[\w.~+/=-]{4,}/gi, `$1 ${GONE}`],
  [/\b([Bb]asic)\s+(?=[a-z]*[A-Z0-9+/=])[A-Za-z0-9+/]{8,}={0,2}/g, `$1 ${GONE}`],
  // token=…, "token": "…", and token: … if it is long and has a digit, unlike words
  [new RegExp(String.raw`\b([\w-]{0,40}${NAME}[\\"']*\s*=\s*[\\"']*)[^\s"'\\,;&)}\]]{4,}`, 'gi'), `$1${GONE}`],
  [new RegExp(String.raw`\b([\w-]{0,40}${NAME}[\\"']+\s*:\s*[\\"']+)[^\s"'\\]+`, 'gi'), `$1${GONE}`],
  [new RegExp(String.raw`\b([\w-]{0,40}${NAME}\s*:\s*)(?=[^\s\d]{0,200}\d)[\w.~+/=-]{12,}`, 'gi'), `$1${GONE}`],
  // By their form: JSON web tokens, then those of Google, GitHub, npm, Hugging Face, OpenAI, Slack, Amazon, and webhooks.
  [/\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?/g, GONE],
  [
    /\b(?:ya29\.[\w.-]{8,}|1\/\/[\w-]{20,}|AIza[\w-]{30,}|GOCSPX-[\w-]{10,}|gh[pousr]_\w{20,}|github_pat_\w{20,})/g,
    GONE,
  ],
  // The path is the key to a channel.
  [/(\bhooks\.slack(?:-gov)?\.com\/)[\w/-]{8,}/gi, `$1${GONE}`],
  [/\b(?:npm_\w{20,}|hf_\w{20,}|sk-[\w-]{20,}|xox[abprs]-[\w-]{10,}|A[KS]IA[A-Z0-9]{16}|whsec_[\w+/=]{20,})/g, GONE],
];

/** Variables that hold a secret, including secret URLs, but not paths to files. */
const VARIABLE = /(?:KEYS?|TOKEN|SECRET|PASSWORD|KEY_DATA)$|^PIXART_(?:SLACK|TEAMS|SMTP)_URL/;
const SHORTEST = 12;

/** Secrets of this process, known whatever their form. */
const ownSecrets = (env: NodeJS.ProcessEnv): string[] =>
  Object.entries(env).flatMap(([name, value]) => (value && VARIABLE.test(name) ? [value.trim()] : []));

/**
 * Removes keys, tokens, signatures and passwords from a text, as far as they can be recognised. For the messages of errors,
 * logs and servers; never for prompts.
 *
 * @param known secrets known to the caller, besides those in the environment
 */
export function withoutSecrets(text: string, known: readonly string[] = [], env = process.env): string {
  const exactly = [...known, ...ownSecrets(env)].filter((secret) => secret.length >= SHORTEST);
  const without = exactly.reduce((left, secret) => left.replaceAll(secret, GONE), text);
  return SECRETS.reduce((left, [pattern, instead]) => left.replace(pattern, instead), without);
}

/** Removes secrets from the messages and stacks of an error and its causes. It stays the same error object. */
export function ridOfSecrets<T>(error: T): T {
  const seen = new Set<unknown>();
  const left: unknown[] = [error];
  while (left.length > 0) {
    const next = left.pop();
    if (!(next instanceof Error) || seen.has(next)) continue;
    seen.add(next);
    for (const part of ['message', 'stack'] as const) {
      const text = next[part];
      const without = typeof text === 'string' ? withoutSecrets(text) : text;
      // Only write if something changed: some errors are read-only.
      if (without !== text) Object.defineProperty(next, part, { value: without, configurable: true, writable: true });
    }
    left.push(next.cause, ...(next instanceof AggregateError ? next.errors : []));
  }
  return error;
}
