// A program for infra/helm/check.sh: whether the product takes the arguments of each pod that the chart starts, serves
// the queue that it is scaled by and takes as many images of it, and ends within the time that it is given.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { OptionValues } from 'commander';
import { workerCommand } from '../../../cli/verbs/worker/worker.ts';
import type { WorkerOptions } from '../../../cli/verbs/worker/worker-options.ts';
import { openBundle } from '../../../models/pixart/index.ts';
import { imagesAtOnce } from '../../../models/renderer/index.ts';
import { imagesInHand } from '../../../workflows/contract/limits.ts';
import { encodeQueue, largeRenderQueue, renderQueue } from '../../../workflows/contract/queues.ts';

type Pod = { about: string; args: string[]; graceSeconds: number; queue: string | null; perWorker?: number | null };

/** Of the cases' bundles and text encoders, which the arguments name by folders. */
const DIGESTS = ['a1', 'b2'].map((byte) => byte.repeat(32));

/** From the end of the grace time until a worker ends, whatever it has in hand. */
const FORCE_AFTER_SECONDS = 30;

function optionsOf({ about, args }: Pod): WorkerOptions {
  const [verb, ...options] = args;
  let parsed: OptionValues | undefined;
  const command = workerCommand()
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .action((given: OptionValues) => {
      parsed = given;
    });
  if (verb !== 'worker') throw new Error(`${about}: expected the verb worker, found ${verb}`);
  try {
    command.parse(options, { from: 'user' });
  } catch (error) {
    throw new Error(`${about}: expected arguments of worker, found ${options.join(' ')} (${(error as Error).message})`);
  }
  return parsed as WorkerOptions;
}

function queuesOf({ renderer, encoder, large, size = [] }: WorkerOptions): string[] {
  const ofBundle = (digest: string) => size.map((one) => (large ? largeRenderQueue : renderQueue)(one, digest));
  return DIGESTS.flatMap((digest) => [
    ...(renderer ? ofBundle(digest) : []),
    ...(encoder ? [encodeQueue(digest)] : []),
  ]);
}

/** What a renderer takes of its one size, with PixArt's transformer and usual guidance. */
function imagesOf({ size: [size] = [], children = 1, microBatch = 1 }: WorkerOptions): number {
  return imagesInHand(children, imagesAtOnce(size!, { images: Number(microBatch), description }));
}

const { description } = await openBundle(fileURLToPath(new URL('../../golden/bundles/tiny-velocity', import.meta.url)));
const pods = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as Pod[];
for (const pod of pods) {
  const options = optionsOf(pod);
  const queues = queuesOf(options);
  if (pod.queue !== null && !queues.includes(pod.queue)) {
    throw new Error(`${pod.about}: expected one of the queues ${queues.join(', ')}, found ${pod.queue}`);
  }
  if (options.renderer && pod.perWorker != null && pod.perWorker !== imagesOf(options)) {
    throw new Error(`${pod.about}: expected a pod for ${imagesOf(options)} images, found one for ${pod.perWorker}`);
  }
  if (!options.orchestrator && pod.graceSeconds <= options.grace + FORCE_AFTER_SECONDS) {
    throw new Error(`${pod.about}: expected more time than the worker may take, found ${pod.graceSeconds} s`);
  }
}
console.log(`${pods.length} pods are started as the product has it`);
