import type { Summaries } from '../domain/summaries.ts';
import type { OpenStore, Sources } from '../store/index.ts';
import type {
  EncodeActivities,
  MessageActivities,
  OrchestratorActivities,
  RenderActivities,
} from '../workflows/contract/activities.ts';
import { SHEET_PAGES_AT_ONCE } from '../workflows/contract/limits.ts';
import { activitiesInHand } from './activities-in-hand.ts';
import { createEncodeCaptions, type EncodeCaptionsDependencies } from './encode-captions.ts';
import { encodersSeen } from './encoders-seen.ts';
import { createMatchJobs } from './match-jobs.ts';
import { type Channel, createSendMessage, type MessageDependencies } from './messages/send-message.ts';
import { mayPassForPlan, mayPassForRecords, orchestratorActivities } from './orchestrator-activity.ts';
import { createPlanBatch } from './plan-batch.ts';
import { createPostWebhook } from './post-webhook.ts';
import { MessageWaits, type Post } from './posted.ts';
import { createReadShard } from './read-shard.ts';
import { createRenderImage, type RenderImageDependencies } from './render-image.ts';
import { createWriteContactSheet } from './write-contact-sheet.ts';
import { createWriteManifest } from './write-manifest.ts';
import { createWriteReceipts } from './write-receipts.ts';
import { createWriteReviewPage } from './write-review-page.ts';

export type { CaptionSource } from './caption-source.ts';
export { HeldPictures } from './held-pictures.ts';
export { KeptCaptions } from './kept-captions.ts';
export type { StoreLinks } from './messages/links.ts';
export type { Mail } from './messages/mail.ts';
export {
  type Channel,
  chatChannel,
  mailChannel,
  type SendMail,
} from './messages/send-message.ts';
export { secretFault } from './post-webhook.ts';
export { MessageWaits, type Post } from './posted.ts';
export { type WorkerStop, WorkerStopping } from './render-stop.ts';

export type Webhooks = {
  /** @throws UserError for a receiver that no message would be sent to */
  check(receiver: string): void;
  post: Post;
};

type OrchestratorDependencies = {
  openStore: OpenStore;
  sources: Sources;
  webhooks: Webhooks;
  /** The secret that signs events; without it none is sent. */
  webhookSecret?: string | undefined;
  /** What Temporal's UI shows of images; default: their prompts too. */
  summaries?: Summaries | undefined;
};

/** Activities that plan a batch and write its records; they need no device. */
export function createOrchestratorActivities({
  openStore,
  sources,
  webhooks,
  webhookSecret,
  summaries,
}: OrchestratorDependencies): OrchestratorActivities {
  const activity = orchestratorActivities(openStore);
  return {
    planBatch: activity((open) => createPlanBatch({ openStore: open, sources, webhooks, summaries }), {
      mayPass: mayPassForPlan,
    }),
    activitiesInHand: activity(() => activitiesInHand),
    encodersSeen: activity(() => encodersSeen),
    matchJobs: activity(createMatchJobs),
    readShard: activity((open) => createReadShard(open, summaries)),
    writeReceipts: activity(createWriteReceipts, { whenCancelled: 'finish' }),
    writeManifest: activity(createWriteManifest, { whenCancelled: 'finish' }),
    writeContactSheet: activity(createWriteContactSheet, { whenCancelled: 'finish' }),
    writeSheetPage: activity(createWriteReviewPage, { atOnce: SHEET_PAGES_AT_ONCE }),
    // Messages of an earlier version wait here, whichever worker can send them.
    postWebhook: createPostWebhook(webhookSecret, webhooks.post),
  };
}

/** Activities that post signed events. */
export const createWebhookActivities = (secret: string, post: Post): Pick<MessageActivities, 'postWebhook'> => ({
  postWebhook: createPostWebhook(secret, post),
});

/** Activities that send messages to people through one channel. */
export function createMessageActivities(
  openStore: OpenStore,
  dependencies: MessageDependencies,
  channel: Channel,
): Pick<MessageActivities, 'sendMessage'> {
  const activity = orchestratorActivities(openStore);
  return {
    sendMessage: activity((open) => createSendMessage(open, dependencies, channel), {
      mayPass: (error) => error instanceof MessageWaits || mayPassForRecords(error),
    }),
  };
}

/** Activities that encode texts; they need the text encoder. */
export function createEncodeActivities(dependencies: EncodeCaptionsDependencies): EncodeActivities {
  return { encodeCaptions: createEncodeCaptions(dependencies) };
}

/** Activities that render images; they need a device. */
export function createRenderActivities(dependencies: RenderImageDependencies): RenderActivities {
  return { renderImage: createRenderImage(dependencies) };
}
