import type { Renderer } from '../models/renderer/index.ts';
import type { OrchestratorActivities, RenderActivities } from '../workflows/contract.ts';
import type { OpenStore } from './dependencies.ts';
import { isFinalForPlan, orchestratorActivity } from './orchestrator-activity.ts';
import { createPlanBatch } from './plan-batch.ts';
import { createReadShard } from './read-shard.ts';
import { createRenderImage } from './render-image.ts';
import { createWriteContactSheet } from './write-contact-sheet.ts';
import { createWriteManifest } from './write-manifest.ts';
import { createWriteReceipts } from './write-receipts.ts';

/** What plans a batch and writes its records; needs the store alone. */
export function createOrchestratorActivities({ openStore }: { openStore: OpenStore }): OrchestratorActivities {
  return {
    planBatch: orchestratorActivity(createPlanBatch(openStore), isFinalForPlan),
    readShard: orchestratorActivity(createReadShard(openStore)),
    writeReceipts: orchestratorActivity(createWriteReceipts(openStore)),
    writeManifest: orchestratorActivity(createWriteManifest(openStore)),
    writeContactSheet: orchestratorActivity(createWriteContactSheet(openStore)),
  };
}

/** What makes images; needs a device. */
export function createRenderActivities(dependencies: { openStore: OpenStore; renderer: Renderer }): RenderActivities {
  return { renderImage: createRenderImage(dependencies) };
}
