import type { WorkerDeploymentVersion } from '@temporalio/common';

/** A version of the workflow code, as an orchestrator names its own: Temporal's worker deployment and build id. */
export type WorkflowVersion = WorkerDeploymentVersion;

/** Which orchestrators new batches go to. */
export type Routing = {
  /** `null` for those without a version. */
  current: WorkflowVersion | null;
  /** Takes a share of new batches from the current version; a `version` of `null` means those without one. */
  ramping: { version: WorkflowVersion | null; percentage: number } | null;
};

type Told = { deploymentName?: string | null; buildId?: string | null } | null | undefined;

/** A task queue's routing, as returned by `describeTaskQueue`. */
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

/** The version in Temporal's answer; `null` if there is none. */
export const versionOf = (told: Told): WorkflowVersion | null =>
  told?.deploymentName && told.buildId ? { deploymentName: told.deploymentName, buildId: told.buildId } : null;

/** VERSIONED of Temporal's WorkerVersioningMode. Unversioned workers have other modes, but may still name a build. */
const VERSIONED = 2;

type ToldPoller = { deploymentOptions?: (Told & { workerVersioningMode?: unknown }) | null };

/** A poller's version; `null` if it has none. */
export const pollerVersion = ({ deploymentOptions }: ToldPoller): WorkflowVersion | null =>
  deploymentOptions?.workerVersioningMode === VERSIONED ? versionOf(deploymentOptions) : null;

export const isSameVersion = (one: WorkflowVersion | null, other: WorkflowVersion | null): boolean =>
  one?.deploymentName === other?.deploymentName && one?.buildId === other?.buildId;

export const versionText = ({ deploymentName, buildId }: WorkflowVersion): string => `${deploymentName} ${buildId}`;

/** The command that routes new batches to a version. */
export const setCurrent = ({ deploymentName, buildId }: WorkflowVersion): string =>
  `temporal worker deployment set-current-version --deployment-name ${deploymentName} --build-id ${buildId}`;
