import type { WorkerDeploymentVersion } from '@temporalio/common';

/** Code of workflows, as an orchestrator names its own; Temporal calls the two a worker deployment and a build. */
export type WorkflowVersion = WorkerDeploymentVersion;

/** Which orchestrators a new batch goes to. */
export type Routing = {
  /** `null`: to those without a version. */
  current: WorkflowVersion | null;
  /** Takes a share of the new batches from the current one; `version` of `null` is those without one. */
  ramping: { version: WorkflowVersion | null; percentage: number } | null;
};

type Told = { deploymentName?: string | null; buildId?: string | null } | null | undefined;

/** Of a task queue, as `describeTaskQueue` tells it. */
type ToldRouting = {
  currentDeploymentVersion?: Told;
  rampingDeploymentVersion?: Told;
  rampingVersionPercentage?: number | null;
};

export function routingOf(told: ToldRouting | null | undefined): Routing {
  const percentage = told?.rampingVersionPercentage ?? 0;
  return {
    current: versionOf(told?.currentDeploymentVersion),
    ramping: percentage > 0 ? { version: versionOf(told?.rampingDeploymentVersion), percentage } : null,
  };
}

/** `null` where there is none. */
export const versionOf = (told: Told): WorkflowVersion | null =>
  told?.deploymentName && told.buildId ? { deploymentName: told.deploymentName, buildId: told.buildId } : null;

/** VERSIONED of Temporal's WorkerVersioningMode; workers without a version have other modes, and may name a build all the same. */
const VERSIONED = 2;

type ToldPoller = { deploymentOptions?: (Told & { workerVersioningMode?: unknown }) | null };

/** The version of a worker that asks for work; `null` of one without. */
export const pollerVersion = ({ deploymentOptions }: ToldPoller): WorkflowVersion | null =>
  deploymentOptions?.workerVersioningMode === VERSIONED ? versionOf(deploymentOptions) : null;

export const isSameVersion = (one: WorkflowVersion | null, other: WorkflowVersion | null): boolean =>
  one?.deploymentName === other?.deploymentName && one?.buildId === other?.buildId;

export const versionText = ({ deploymentName, buildId }: WorkflowVersion): string => `${deploymentName} ${buildId}`;

/** The command that sends new batches to a version. */
export const setCurrent = ({ deploymentName, buildId }: WorkflowVersion): string =>
  `temporal worker deployment set-current-version --deployment-name ${deploymentName} --build-id ${buildId}`;
