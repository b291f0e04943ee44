import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { bundleWorkflowCode, type Logger } from '@temporalio/worker';
import { keptBuild, ROOT } from '../infra/build/kept-build.mjs';

/** All that the workflows import of ours, what fixes the versions of all else, and how they are bundled. */
export const SOURCES = ['workflows', 'domain', 'package.json', 'package-lock.json', 'workers/workflow-bundle.ts'];

/** The workflows, and what stands around them. */
export const ENTRIES = {
  workflows: path.join(ROOT, 'workflows', 'index.ts'),
  tracing: path.join(ROOT, 'workflows', 'tracing', 'tracing.ts'),
};

/** The file that holds the workflows' code as Temporal runs it. Bundling takes seconds (docs/decisions/060). */
export async function workflowBundle(logger: Logger): Promise<{ codePath: string }> {
  const build = await keptBuild('workflows', SOURCES, async (folder) => {
    const { code } = await bundleWorkflowCode({
      workflowsPath: ENTRIES.workflows,
      workflowInterceptorModules: [ENTRIES.tracing],
      logger,
    });
    await writeFile(path.join(folder, 'workflows.js'), code);
  });
  return { codePath: path.join(build, 'workflows.js') };
}
