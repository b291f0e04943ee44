import { UserError } from './user-error.ts';
import { checkWebhookUrl } from './webhook-url.ts';

/** Whom a batch tells what became of it. */
export type Receiver =
  | { kind: 'webhook'; url: URL }
  /** A channel, whose address is a secret that orchestrators alone have; `name` tells several of them apart. */
  | { kind: 'slack' | 'teams'; name: string | null }
  | { kind: 'mail'; to: string[] };

/** More people read a mailing list. */
const MAX_RECIPIENTS = 20;

/** The local part in the characters that every mail program takes, and a domain with a dot in it; neither spaces nor line ends. */
const LOCAL = /^[A-Za-z0-9_'+-]+(?:\.[A-Za-z0-9_'+-]+)*$/;
const DOMAIN = /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$/;
const ADDRESS_CHARACTERS = 254;

export const isMailDomain = (text: string): boolean => text.length <= ADDRESS_CHARACTERS && DOMAIN.test(text);

/** One plain address: no name beside it, nothing that ends a line. */
export function isMailAddress(text: string): boolean {
  const at = text.lastIndexOf('@');
  return (
    text.length <= ADDRESS_CHARACTERS && LOCAL.test(text.slice(0, Math.max(0, at))) && isMailDomain(text.slice(at + 1))
  );
}

const CHAT = /^(slack|teams)(?::([a-z0-9]+(?:-[a-z0-9]+)*))?$/;
const CHAT_CHARACTERS = 50;

/** Host and path of addresses that have their secret in the path or after it: of Slack, of Power Automate, and of the connectors before that. */
const CHAT_ADDRESSES: [RegExp, 'slack' | 'teams'][] = [
  [/^(?:[^/]+\.)?hooks\.slack(?:-gov)?\.com\//, 'slack'],
  [/^[^/]+\.api\.powerplatform\.com\/powerautomate\//i, 'teams'],
  [/^[^/]+\.logic\.azure\.com\//, 'teams'],
  [/^[^/]+\.webhook\.office\.com\//, 'teams'],
  [/^outlook\.office(?:365)?\.com\/webhook/i, 'teams'],
];

/**
 * Reads what `--webhook` was given: `https://…`, `slack`, `teams`, `slack:art` or `mailto:lead@studio.example`. Everybody who sees the batch in
 * Temporal sees it.
 *
 * @throws UserError for anything else, and for an address that is a secret
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

/** @throws UserError unless there are plain addresses and nothing else, such as a subject */
function recipientsOf(text: string): string[] {
  const found = text.split(',');
  const wrong = found.find((address) => !isMailAddress(address));
  if (wrong !== undefined) {
    throw new UserError(
      `webhook: expected mailto: and addresses such as lead@studio.example, with commas between them and nothing else, found ${JSON.stringify(wrong.slice(0, 300))}`,
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
    `webhook: expected slack, teams, or one of several such as slack:art, with small letters, digits and hyphens, found ${JSON.stringify(text.slice(0, 100))}`,
  );

const secretUrl = (host: string, chat: 'slack' | 'teams'): UserError =>
  new UserError(
    `webhook: expected no address of ${host}: whoever sees it may post there, and everybody who sees the batch would. Set ` +
      `${chatVariable(chat, null)} where orchestrators run, and give --webhook ${chat}`,
  );

/** What brings a message out: `webhook`, `slack`, `slack-art`, `mail`. One worker can serve it and another cannot. */
export function channelOf(receiver: string): string {
  if (receiver.startsWith('mailto:')) return 'mail';
  const [, kind, name] = CHAT.exec(receiver) ?? [];
  if (kind === undefined) return 'webhook';
  return name === undefined ? kind : `${kind}-${name}`;
}

/** The variable that an orchestrator needs to serve a channel; words for it where a later version has begun the batch, with a channel unknown here. */
export function channelVariable(channel: string): string {
  if (channel === 'webhook') return 'PIXART_WEBHOOK_SECRET';
  if (channel === 'mail') return 'PIXART_SMTP_URL with PIXART_MAIL_FROM';
  const [, kind, name = null] = /^(slack|teams)(?:-(.+))?$/.exec(channel) ?? [];
  if (kind !== 'slack' && kind !== 'teams') return `what ${JSON.stringify(channel.slice(0, CHAT_CHARACTERS))} takes`;
  return chatVariable(kind, name);
}

const chatVariable = (kind: 'slack' | 'teams', name: string | null): string =>
  [`PIXART_${kind.toUpperCase()}_URL`, ...(name === null ? [] : [name.toUpperCase().replaceAll('-', '_')])].join('_');

/** Channels of Slack and Teams that an environment has addresses for, by the channel. */
export function chatUrls(env: NodeJS.ProcessEnv): Map<string, string> {
  const found = new Map<string, string>();
  for (const [variable, value] of Object.entries(env)) {
    const [, kind, name] = /^PIXART_(SLACK|TEAMS)_URL(?:_([A-Z0-9]+(?:_[A-Z0-9]+)*))?$/.exec(variable) ?? [];
    if (!value || kind === undefined) continue;
    found.set([kind, ...(name?.split('_') ?? [])].join('-').toLowerCase(), value);
  }
  return found;
}
