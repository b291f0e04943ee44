import { QUEUE_TYPE, seenLately } from '../workflows/contract/pollers.ts';
import { ORCHESTRATOR_QUEUE } from '../workflows/contract/queues.ts';
import {
  isSameVersion,
  pollerVersion,
  type Routing,
  routingOf,
  setCurrent,
  versionOf,
  versionText,
  type WorkflowVersion,
} from '../workflows/contract/versions.ts';
import type { BatchClient } from './connect.ts';
import type { Description } from './pending-work.ts';

/** Orchestrators that have polled recently, and the versions that new batches go to. `null` means unversioned. */
export type OrchestratorsSeen = Routing & { asking: { identity: string; version: WorkflowVersion | null }[] };

/**
 * Finds out which orchestrators there are.
 *
 * @throws ServiceError if the server does not say
 * @example
 * ```js
 * import { connect, orchestratorsSeen } from 'pixart-batch';
 *
 * const client = await connect();
 * const { current, ramping, asking } = await orchestratorsSeen(client);
 * console.log(current?.buildId ?? 'no versions', ramping?.percentage ?? 0, asking.length);
 * await client.close();
 * ```
 */
export async function orchestratorsSeen({ temporal, namespace }: BatchClient): Promise<OrchestratorsSeen> {
  const { pollers, versioningInfo } = await temporal.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: ORCHESTRATOR_QUEUE },
    taskQueueType: QUEUE_TYPE.workflow,
  });
  const lately = new Set(seenLately(pollers ?? [], Date.now()));
  const asking = (pollers ?? [])
    .map((poller) => ({ identity: poller.identity ?? '', version: pollerVersion(poller) }))
    .filter(({ identity }) => lately.has(identity));
  return { ...routingOf(versioningInfo), asking };
}

/** VERSIONING_BEHAVIOR_PINNED in Temporal's API. */
const PINNED = 1;

/** The orchestrators that get a batch's work: those of its pinned version, or else of the versions that new batches go to. */
export function servingBatch(
  { workflowExecutionInfo }: Description['raw'],
  { current, ramping, asking }: OrchestratorsSeen,
): { versions: (WorkflowVersion | null)[]; orchestrators: number } {
  const { behavior, deploymentVersion, versioningOverride } = workflowExecutionInfo?.versioningInfo ?? {};
  const pinned = versioningOverride?.pinned?.version ?? (behavior === PINNED ? deploymentVersion : null);
  const isPinned = pinned !== null && pinned !== undefined;
  const versions = isPinned ? [versionOf(pinned)] : [current, ...(ramping === null ? [] : [ramping.version])];
  const serving = asking.filter(({ version }) => versions.some((one) => isSameVersion(one, version)));
  return { versions, orchestrators: new Set(serving.map(({ identity }) => identity)).size };
}

/** Why no polling orchestrator gets work of a batch; `null` if one does, or none is polling. */
export function whyPassedOver(raw: Description['raw'], seen: OrchestratorsSeen): string | null {
  const { versions, orchestrators } = servingBatch(raw, seen);
  if (orchestrators > 0 || seen.asking.length === 0) return null;
  const [version] = versions;
  if (version) {
    return `it belongs to workflow version ${versionText(version)}, which no polling orchestrator has. Start one of that version`;
  }
  return lackOfCurrent(seen);
}

/** Says that all orchestrators are versioned but none is current, and what to do; `null` if that is not the case. */
export function lackOfCurrent({ current, ramping, asking }: OrchestratorsSeen): string | null {
  const versions = asking.flatMap(({ version }) => version ?? []);
  if (current !== null || versions.length === 0 || versions.length < asking.length) return null;
  if (ramping !== null && versions.some((version) => isSameVersion(version, ramping.version))) return null;
  const commands = new Set(versions.map(setCurrent));
  return `orchestrators are polling, but none of their versions is current. Make one current: ${[...commands].join(', or ')}`;
}
