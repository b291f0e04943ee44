// Builds what an installed package has in place of the sources, in built/: `npm pack` runs it (docs/decisions/127).
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DefaultLogger } from '@temporalio/worker';
import { makePageCode } from '../../review-page/page-code.ts';
import { makeWorkflows, WORKFLOWS } from '../../workers/workflow-bundle.ts';
import { packedBuild, ROOT } from '../build/kept-build.mjs';
import { makePrograms } from '../build/program.mjs';
import { licencesWithin } from './licences.ts';

const logger = new DefaultLogger('ERROR');

const BUILDS: Record<string, (folder: string) => Promise<void>> = {
  programs: (folder) => makePrograms(folder, ROOT),
  [WORKFLOWS.plain]: (folder) => makeWorkflows(folder, logger, false),
  [WORKFLOWS.encrypted]: (folder) => makeWorkflows(folder, logger, true),
  'review-page': makePageCode,
};

const built = packedBuild('');
await rm(built, { recursive: true, force: true });
for (const [kind, make] of Object.entries(BUILDS)) {
  await mkdir(packedBuild(kind), { recursive: true });
  await make(packedBuild(kind));
}
await writeFile(path.join(built, 'LICENCES.txt'), await licencesWithin(built));
