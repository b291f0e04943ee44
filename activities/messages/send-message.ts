import { Context } from '@temporalio/activity';
import { receiverOf } from '../../domain/receiver.ts';
import { UserError } from '../../domain/user-error.ts';
import type { OpenStore } from '../../store/index.ts';
import type { WebhookDelivery } from '../../workflows/contract/webhook.ts';
import { type Post, posted } from '../posted.ts';
import { type ComposeDependencies, compose } from './compose.ts';
import { type Mail, mailOf } from './mail.ts';
import type { Message, Picture } from './message.ts';
import { slackMessage } from './slack.ts';
import { teamsMessage } from './teams.ts';

/** How messages of one kind go out. */
export type Channel = {
  /** What it shows pictures from. */
  picture: Picture['kind'];
  /** @throws MessageWaits where it may succeed later, UserError or ApplicationFailure where it never does */
  send(message: Message, delivery: WebhookDelivery): Promise<void>;
};

export type MessageDependencies = Omit<ComposeDependencies, 'openStore'>;

/** For a minute and a half: so long a store that is away is waited for; then the message goes without what it has. */
const PATIENT_ATTEMPTS = 5;

/** The activity that sends people a message about one event, through one channel. */
export function createSendMessage(openStore: OpenStore, dependencies: MessageDependencies, channel: Channel) {
  return async function sendMessage(delivery: WebhookDelivery): Promise<void> {
    const { client, info } = Context.current();
    const message = await compose(
      delivery.event,
      { openStore, ...dependencies },
      { client, picture: channel.picture, isPatient: info.attempt < PATIENT_ATTEMPTS },
    );
    await channel.send(message, delivery);
  };
}

/** @param url a secret: anyone who has it may post there */
export const chatChannel = (kind: 'slack' | 'teams', url: URL, post: Post): Channel => ({
  picture: 'public',
  send: (message) =>
    posted(post, url, {}, JSON.stringify(kind === 'slack' ? slackMessage(message) : teamsMessage(message))),
});

/** @throws as Channel.send */
export type SendMail = (mail: Mail) => Promise<void>;

/**
 * @param domain of the sender
 * @param check throws UserError for a receiver that must not get messages
 */
export const mailChannel = (send: SendMail, domain: string, check: (receiver: string) => void): Channel => ({
  picture: 'inline',
  async send(message, { url, id, event }) {
    check(url);
    const receiver = receiverOf(url);
    if (receiver.kind !== 'mail') throw new UserError(`webhook: expected mail addresses, found ${receiver.kind}`);
    await send(mailOf(message, { to: receiver.to, id, date: new Date(event.timestamp), domain }));
  },
});
