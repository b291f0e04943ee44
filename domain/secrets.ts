/** What stands in a secret's place. */
const GONE = '…';

/** A name that says of its value that it is one. */
const NAME = '(?:token|secret|passw(?:or)?d|api[_-]?key|private[_-]?key(?:_id)?|access[_-]?key|secret[_-]?key)';

/**
 * Keys, tokens and signatures as libraries and servers put them into their messages. What is taken out has no quotes in it, so that JSON
 * stays JSON; counts are bounded, so that a long text takes no longer than its length.
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
  // token=…, "token": "…", and token: … where it is long and has a digit, as no word has
  [new RegExp(String.raw`\b([\w-]{0,40}${NAME}[\\"']*\s*=\s*[\\"']*)[^\s"'\\,;&)}\]]{4,}`, 'gi'), `$1${GONE}`],
  [new RegExp(String.raw`\b([\w-]{0,40}${NAME}[\\"']+\s*:\s*[\\"']+)[^\s"'\\]+`, 'gi'), `$1${GONE}`],
  [new RegExp(String.raw`\b([\w-]{0,40}${NAME}\s*:\s*)(?=[^\s\d]{0,200}\d)[\w.~+/=-]{12,}`, 'gi'), `$1${GONE}`],
  // By their looks: JSON web tokens, then Google's, GitHub's, npm's, Hugging Face's, OpenAI's, Slack's, Amazon's, webhooks'.
  [/\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?/g, GONE],
  [
    /\b(?:ya29\.[\w.-]{8,}|1\/\/[\w-]{20,}|AIza[\w-]{30,}|GOCSPX-[\w-]{10,}|gh[pousr]_\w{20,}|github_pat_\w{20,})/g,
    GONE,
  ],
  // What follows the host is the key to a channel.
  [/(\bhooks\.slack(?:-gov)?\.com\/)[\w/-]{8,}/gi, `$1${GONE}`],
  [/\b(?:npm_\w{20,}|hf_\w{20,}|sk-[\w-]{20,}|xox[abprs]-[\w-]{10,}|A[KS]IA[A-Z0-9]{16}|whsec_[\w+/=]{20,})/g, GONE],
];

/** A variable with a secret in it, which some addresses are. A path to one is none. */
const VARIABLE = /(?:KEYS?|TOKEN|SECRET|PASSWORD|KEY_DATA)$|^PIXART_(?:SLACK|TEAMS|SMTP)_URL/;
const SHORTEST = 12;

/** Those of this process, which are known to be secrets whatever they look like. */
const ownSecrets = (env: NodeJS.ProcessEnv): string[] =>
  Object.entries(env).flatMap(([name, value]) => (value && VARIABLE.test(name) ? [value.trim()] : []));

/**
 * A text without keys, tokens, signatures and passwords, as far as they can be told. For what errors, logs and servers say; never for
 * what a person wrote to be drawn.
 *
 * @param known secrets that are known to whoever asks, besides those in the environment
 */
export function withoutSecrets(text: string, known: readonly string[] = [], env = process.env): string {
  const exactly = [...known, ...ownSecrets(env)].filter((secret) => secret.length >= SHORTEST);
  const without = exactly.reduce((left, secret) => left.replaceAll(secret, GONE), text);
  return SECRETS.reduce((left, [pattern, instead]) => left.replace(pattern, instead), without);
}

/** Takes secrets out of an error and out of all that caused it: messages and stacks. It stays the same error, of the same class. */
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
      // Most have none, and some cannot be changed.
      if (without !== text) Object.defineProperty(next, part, { value: without, configurable: true, writable: true });
    }
    left.push(next.cause, ...(next instanceof AggregateError ? next.errors : []));
  }
  return error;
}
