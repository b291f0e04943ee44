import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { WorkerDeploymentOptions } from '@temporalio/worker';
import project from '../package.json' with { type: 'json' };
import type { WorkflowVersion } from '../workflows/contract/versions.ts';

/** As configured: the name of the deployment, and of the build, if it is named. */
export type Deployment = { name: string; buildId?: string | undefined };

/** Paths of modules, which differ between machines. */
const SOURCE_MAP = /^\/\/# sourceMappingURL=.*$/gm;

/**
 * The version of an orchestrator's workflow code. Unless the build is named, it is the product's version with a digest
 * of the code, so that orchestrators of the same code have the same version wherever they run.
 *
 * @param codePath the file with the workflows' code, as it is run
 */
export async function workflowVersion({ name, buildId }: Deployment, codePath: string): Promise<WorkflowVersion> {
  return { deploymentName: name, buildId: buildId ?? `${project.version}-${await digestOf(codePath)}` };
}

async function digestOf(codePath: string): Promise<string> {
  const code = (await readFile(codePath, 'utf8')).replaceAll(SOURCE_MAP, '');
  return createHash('sha256').update(code).digest('hex').slice(0, 12);
}

/** Every workflow stays on the version that it started on, also across runs, and so do its children (docs/decisions/136). */
export const pinnedTo = (version: WorkflowVersion): WorkerDeploymentOptions => ({
  version,
  useWorkerVersioning: true,
  defaultVersioningBehavior: 'PINNED',
});
