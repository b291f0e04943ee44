import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { WorkerDeploymentOptions } from '@temporalio/worker';
import project from '../package.json' with { type: 'json' };
import type { WorkflowVersion } from '../workflows/contract/versions.ts';

/** What a person says of it: the name of the deployment, and of the build where they name it themselves. */
export type Deployment = { name: string; buildId?: string | undefined };

/** Where each module was, which is another place on another machine. */
const SOURCE_MAP = /^\/\/# sourceMappingURL=.*$/gm;

/**
 * What an orchestrator calls its workflows' code. Unless a person names the build, it is the product's version with a digest of the code, so that
 * orchestrators of the same code have the same one wherever they run.
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

/** Every workflow ends with the version that it began with, also across runs, and its children with it (docs/decisions/136). */
export const pinnedTo = (version: WorkflowVersion): WorkerDeploymentOptions => ({
  version,
  useWorkerVersioning: true,
  defaultVersioningBehavior: 'PINNED',
});
