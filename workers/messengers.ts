import { type NativeConnection, Runtime, Worker } from '@temporalio/worker';
import {
  type Channel,
  chatChannel,
  createMessageActivities,
  createWebhookActivities,
  mailChannel,
  secretFault,
} from '../activities/index.ts';
import { dataConverter } from '../connection/data-converter.ts';
import { amountOf } from '../domain/amounts.ts';
import { channelVariable, chatUrls } from '../domain/receiver.ts';
import { UserError } from '../domain/user-error.ts';
import { checkWebhookUrl } from '../domain/webhook-url.ts';
import type { Keyring } from '../encryption/keyring.ts';
import { observeActivities } from '../monitoring/observe-activities.ts';
import { processTracer } from '../monitoring/tracing/tracer.ts';
import type { MessageActivities } from '../workflows/contract/activities.ts';
import { messageQueue } from '../workflows/contract/queues.ts';
import { discreetFailures } from './discreet-failures.ts';
import { createMailer, mailSettings } from './mailer.ts';
import type { Outside } from './outside.ts';
import { storeLinks } from './store-links.ts';

/** Messages in hand per channel: each reads a whole batch's table. */
const MESSAGES_AT_ONCE = 2;

/** For a message in hand when the process is told to stop. */
const GRACE_TIME = '10 seconds';

/**
 * The workers that send messages, one for each channel that the environment configures. Messages for other channels
 * wait for a worker that has them.
 *
 * @throws UserError if a secret, an address or a rate in the environment is invalid
 */
export async function createMessengers(
  connection: NativeConnection,
  namespace: string,
  outside: Outside,
  keyring: Keyring | null,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Worker[]> {
  const tracer = processTracer();
  const worker = (channel: string, activities: Partial<MessageActivities>): Promise<Worker> =>
    Worker.create({
      connection,
      namespace,
      taskQueue: messageQueue(channel),
      dataConverter: dataConverter(keyring),
      activities,
      interceptors: { activity: [discreetFailures, observeActivities(tracer)] },
      maxConcurrentActivityTaskExecutions: MESSAGES_AT_ONCE,
      maxHeartbeatThrottleInterval: '1 second',
      shutdownGraceTime: GRACE_TIME,
    });
  const dependencies = {
    links: storeLinks(env.PIXART_STORE_LINKS),
    costPerHour: costPerHour(env.PIXART_COST_PER_HOUR),
  };
  const secret = webhookSecret(env);
  const people = await channelsOf(outside, env);
  return Promise.all([
    ...(secret === null ? [] : [worker('webhook', createWebhookActivities(secret, outside.webhooks.post))]),
    ...[...people].map(([channel, how]) =>
      worker(channel, createMessageActivities(outside.openStore, dependencies, how)),
    ),
  ]);
}

function webhookSecret({ PIXART_WEBHOOK_SECRET: secret }: NodeJS.ProcessEnv): string | null {
  if (!secret) return null;
  const fault = secretFault(secret);
  if (fault !== null) throw new UserError(fault);
  return secret;
}

/** Those for people. @throws UserError */
async function channelsOf({ webhooks }: Outside, env: NodeJS.ProcessEnv): Promise<Map<string, Channel>> {
  const channels = new Map<string, Channel>();
  for (const [channel, address] of chatUrls(env)) {
    const url = chatUrl(channel, address);
    webhooks.checkAddress(url.href);
    channels.set(channel, chatChannel(channel.startsWith('slack') ? 'slack' : 'teams', url, webhooks.post));
  }
  const mail = mailSettings(env);
  if (mail !== null) {
    const domain = mail.from.slice(mail.from.lastIndexOf('@') + 1);
    channels.set('mail', mailChannel(await createMailer(mail, Runtime.instance().logger), domain, webhooks.check));
  }
  return channels;
}

/** The address is a secret: an error does not show it. */
function chatUrl(channel: string, address: string): URL {
  try {
    return checkWebhookUrl(address);
  } catch {
    throw new UserError(
      `${channelVariable(channel)}: expected the channel's https:// address from ${channel.startsWith('slack') ? 'Slack' : 'Teams'}, found something else`,
    );
  }
}

/** @throws UserError */
function costPerHour(text: string | undefined): number | undefined {
  if (!text) return undefined;
  const amount = amountOf(text);
  if (amount !== null) return amount;
  throw new UserError(`PIXART_COST_PER_HOUR: expected an amount such as 2.5, found ${JSON.stringify(text)}`);
}
