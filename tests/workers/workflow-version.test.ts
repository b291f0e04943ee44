import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import project from '../../package.json' with { type: 'json' };
import { workflowVersion } from '../../workers/workflow-version.ts';

async function versionOf(code: string, buildId?: string) {
  const folder = await mkdtemp(path.join(tmpdir(), 'pixart-version-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'workflows.js');
  await writeFile(file, code);
  return workflowVersion({ name: 'studio', buildId }, file);
}

const mapped = (code: string, map: string): string =>
  `${code}\n//# sourceMappingURL=data:application/json;charset=utf-8;base64,${map}\n`;

test('a version is the product’s with a digest of the workflows, wherever their sources lie', async () => {
  const here = await versionOf(mapped('run();', 'aGVyZQ=='));
  expect(here).toEqual({ deploymentName: 'studio', buildId: expect.stringMatching(/-[0-9a-f]{12}$/) });
  expect(here.buildId.startsWith(`${project.version}-`)).toBe(true);
  expect(await versionOf(mapped('run();', 'dGhlcmU='))).toEqual(here);
  expect(await versionOf(mapped('run(1);', 'aGVyZQ=='))).not.toEqual(here);
});

test('a person may name the build', async () => {
  expect(await versionOf('run();', '1.7')).toEqual({ deploymentName: 'studio', buildId: '1.7' });
});
