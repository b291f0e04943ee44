import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type Logger } from '@temporalio/worker';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** All that the workflows import of ours, what fixes the versions of all else, and how they are bundled. */
const SOURCES = ['workflows', 'catalog', 'package-lock.json', 'workers/workflow-bundle.ts'];

/**
 * The file that holds the workflows' code as Temporal runs it. Bundling takes seconds (docs/decisions/060), so the result
 * is kept in the cache folder under a digest of its sources.
 */
export async function workflowBundle(logger: Logger): Promise<{ codePath: string }> {
  const folder = path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'pixart-batch', 'workflows');
  const codePath = path.join(folder, `${await sourcesDigest()}.js`);
  if (existsSync(codePath)) return { codePath };
  const { code } = await bundleWorkflowCode({
    workflowsPath: path.join(ROOT, 'workflows', 'index.ts'),
    workflowInterceptorModules: [path.join(ROOT, 'workflows', 'tracing.ts')],
    logger,
  });
  await mkdir(folder, { recursive: true });
  const unfinished = `${codePath}.${process.pid}`;
  await writeFile(unfinished, code);
  await rename(unfinished, codePath);
  return { codePath };
}

async function sourcesDigest(): Promise<string> {
  const hash = createHash('sha256');
  for (const source of SOURCES) {
    const files = source.includes('.')
      ? [source]
      : (await readdir(path.join(ROOT, source), { recursive: true }))
          .filter((file) => file.endsWith('.ts'))
          .map((file) => path.join(source, file));
    for (const file of files.sort())
      hash
        .update(`${file}\0`)
        .update(await readFile(path.join(ROOT, file)))
        .update('\0');
  }
  return hash.digest('hex').slice(0, 32);
}
