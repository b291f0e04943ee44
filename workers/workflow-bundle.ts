import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { bundleWorkflowCode, type Logger } from '@temporalio/worker';
import { FAILURE_CONVERTER } from '../connection/data-converter.ts';
import { keptBuild, ROOT } from '../infra/build/kept-build.mjs';

/** All that the workflows import of ours, what fixes the versions of all else, and how they are bundled. */
export const SOURCES = [
  'workflows',
  'domain',
  'package.json',
  'package-lock.json',
  'workers/workflow-bundle.ts',
  'encryption/failure-converter.cjs',
];

/** The workflows, and what stands around them. */
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
  const build = await keptBuild(isEncrypted ? 'workflows-encrypted' : 'workflows', SOURCES, async (folder) => {
    const { code } = await bundleWorkflowCode({
      workflowsPath: ENTRIES.workflows,
      workflowInterceptorModules: [ENTRIES.tracing],
      ...(isEncrypted && { failureConverterPath: FAILURE_CONVERTER }),
      logger,
    });
    await writeFile(path.join(folder, 'workflows.js'), code);
  });
  return { codePath: path.join(build, 'workflows.js') };
}
