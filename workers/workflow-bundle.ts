import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { bundleWorkflowCode, type Logger } from '@temporalio/worker';
import { FAILURE_CONVERTER } from '../connection/data-converter.ts';
import { keptBuild, ROOT } from '../infra/build/kept-build.mjs';

/** Our modules that workflows import, the lock file that fixes all other versions, and the bundler's settings. */
export const SOURCES = [
  'workflows',
  'domain',
  'package.json',
  'package-lock.json',
  'workers/workflow-bundle.ts',
  'encryption/failure-converter.cjs',
];

/** The workflows and their interceptors. */
export const ENTRIES = {
  workflows: path.join(ROOT, 'workflows', 'index.ts'),
  tracing: path.join(ROOT, 'workflows', 'tracing', 'tracing.ts'),
};

/**
 * The file that holds the workflows' code as Temporal runs it. Bundling takes seconds (docs/decisions/060).
 *
 * @param isEncrypted whether failures' messages go into payloads, for a codec to encrypt: that is done by code beside the workflows
 */
export async function workflowBundle(logger: Logger, isEncrypted = false): Promise<{ codePath: string }> {
  const kind = isEncrypted ? WORKFLOWS.encrypted : WORKFLOWS.plain;
  const build = await keptBuild(kind, SOURCES, (folder) => makeWorkflows(folder, logger, isEncrypted));
  return { codePath: path.join(build, 'workflows.js') };
}

/** Names of the two kinds of builds. */
export const WORKFLOWS = { plain: 'workflows', encrypted: 'workflows-encrypted' };

export async function makeWorkflows(folder: string, logger: Logger, isEncrypted: boolean): Promise<void> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: ENTRIES.workflows,
    workflowInterceptorModules: [ENTRIES.tracing],
    ...(isEncrypted && { failureConverterPath: FAILURE_CONVERTER }),
    logger,
  });
  await writeFile(path.join(folder, 'workflows.js'), code);
}
