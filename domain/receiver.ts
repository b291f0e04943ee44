import { UserError } from './user-error.ts';
import { checkWebhookUrl } from './webhook-url.ts';

/** Receiver of a batch's messages. */
type Receiver =
  | { kind: 'webhook'; url: URL }
  /** A channel whose URL is a secret that only orchestrators have; `name` distinguishes several of them. */
  | { kind: 'slack' | 'teams'; name: string | null }
  | { kind: 'mail'; to: string[] };

/** For more people, use a mailing list. */
const MAX_RECIPIENTS = 20;

/** A local part with characters that every mail program accepts, and a domain with a dot; no spaces or line ends. */
const LOCAL = /^[A-Za-z0-9_'+-]+(?:\.[A-Za-z0-9_'+-]+)*$/;
const DOMAIN = /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$/;
const ADDRESS_CHARACTERS = 254;

export const isMailDomain = (text: string): boolean => text.length <= ADDRESS_CHARACTERS && DOMAIN.test(text);

/** One plain address: without a display name, and without line ends. */
export function isMailAddress(text: string): boolean {
  const at = text.lastIndexOf('@');
  return (
    text.length <= ADDRESS_CHARACTERS && LOCAL.test(text.slice(0, Math.max(0, at))) && isMailDomain(text.slice(at + 1))
  );
}

const CHAT = /^(slack|teams)(?::([a-z0-9]+(?:-[a-z0-9]+)*))?$/;
const CHAT_CHARACTERS = 50;

/** Host and path of URLs with a secret in or after the path: Slack, Power Automate, and the older Office connectors. */
const CHAT_ADDRESSES: [RegExp, 'slack' | 'teams'][] = [
  [/^(?:[^/]+\.)?hooks\.slack(?:-gov)?\.com\//, 'slack'],
  [/^[^/]+\.api\.powerplatform\.com\/powerautomate\//i, 'teams'],
  [/^[^/]+\.logic\.azure\.com\//, 'teams'],
  [/^[^/]+\.webhook\.office\.com\//, 'teams'],
  [/^outlook\.office(?:365)?\.com\/webhook/i, 'teams'],
];

/**
 * Parses the value of `--webhook`: `https://…`, `slack`, `teams`, `slack:art` or `mailto:lead@studio.example`. Anyone who can
 * see the batch in Temporal can see it.
 *
 * @throws UserError for anything else, and for a URL that is a secret
 */
export function receiverOf(text: string): Receiver {
  const [, kind, name = null] = text.length <= CHAT_CHARACTERS ? (CHAT.exec(text) ?? []) : [];
  if (kind === 'slack' || kind === 'teams') return { kind, name };
  if (text.startsWith('mailto:')) return { kind: 'mail', to: recipientsOf(text.slice('mailto:'.length)) };
  if (/^(slack|teams)\b/.test(text)) throw notChat(text);
  const url = checkWebhookUrl(text);
  const host = url.hostname.replace(/\.+$/, '');
  const [, chat] = CHAT_ADDRESSES.find(([address]) => address.test(host + url.pathname)) ?? [];
  if (chat !== undefined) throw secretUrl(host, chat);
  return { kind: 'webhook', url };
}

/** @throws UserError for anything other than plain addresses, such as a subject */
function recipientsOf(text: string): string[] {
  const found = text.split(',');
  const wrong = found.find((address) => !isMailAddress(address));
  if (wrong !== undefined) {
    throw new UserError(
      `webhook: expected mailto: and only comma-separated addresses such as lead@studio.example, found ${JSON.stringify(wrong.slice(0, 300))}`,
    );
  }
  if (found.length > MAX_RECIPIENTS) {
    throw new UserError(
      `webhook: expected at most ${MAX_RECIPIENTS} addresses, found ${found.length}: use a mailing list`,
    );
  }
  return found;
}

const notChat = (text: string): UserError =>
  new UserError(
    `webhook: expected slack, teams, or one of several such as slack:art, with lower-case letters, digits and hyphens, found ${JSON.stringify(text.slice(0, 100))}`,
  );

const secretUrl = (host: string, chat: 'slack' | 'teams'): UserError =>
  new UserError(
    `webhook: expected no URL of ${host}: anyone who sees it can post there, and anyone who sees the batch would see it. Set ` +
      `${chatVariable(chat, null)} where orchestrators run, and use --webhook ${chat}`,
  );

/** The channel of a message: `webhook`, `slack`, `slack-art`, `mail`. Not every worker can serve every channel. */
export function channelOf(receiver: string): string {
  if (receiver.startsWith('mailto:')) return 'mail';
  const [, kind, name] = CHAT.exec(receiver) ?? [];
  if (kind === undefined) return 'webhook';
  return name === undefined ? kind : `${kind}-${name}`;
}

/**
 * The variable that an orchestrator needs to serve a channel; a description if a later version started the batch, with
 * an unknown channel.
 */
export function channelVariable(channel: string): string {
  if (channel === 'webhook') return 'PIXART_WEBHOOK_SECRET';
  if (channel === 'mail') return 'PIXART_SMTP_URL with PIXART_MAIL_FROM';
  const [, kind, name = null] = /^(slack|teams)(?:-(.+))?$/.exec(channel) ?? [];
  if (kind !== 'slack' && kind !== 'teams')
    return `the settings for ${JSON.stringify(channel.slice(0, CHAT_CHARACTERS))}`;
  return chatVariable(kind, name);
}

const chatVariable = (kind: 'slack' | 'teams', name: string | null): string =>
  [`PIXART_${kind.toUpperCase()}_URL`, ...(name === null ? [] : [name.toUpperCase().replaceAll('-', '_')])].join('_');

/** URLs of Slack and Teams channels in an environment, by channel. */
export function chatUrls(env: NodeJS.ProcessEnv): Map<string, string> {
  const found = new Map<string, string>();
  for (const [variable, value] of Object.entries(env)) {
    const [, kind, name] = /^PIXART_(SLACK|TEAMS)_URL(?:_([A-Z0-9]+(?:_[A-Z0-9]+)*))?$/.exec(variable) ?? [];
    if (!value || kind === undefined) continue;
    found.set([kind, ...(name?.split('_') ?? [])].join('-').toLowerCase(), value);
  }
  return found;
}
