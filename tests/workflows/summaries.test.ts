import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { batchEnd } from '../../client/index.ts';
import { batchInput } from '../../client/request.ts';
import { batchStart } from '../../workflows/contract/batch-start.ts';
import { ORCHESTRATOR_QUEUE } from '../../workflows/contract/queues.ts';
import type { Workflows } from '../../workflows/contract/workflows.ts';
import { BUNDLE, type Site, startSite } from './site.ts';
import { textOf } from './text-of.ts';

let site: Site;

beforeAll(async () => {
  site = await startSite({ summaries: 'ids' });
});

afterAll(() => site?.stop());

/** Everything that the server keeps of its workflows: their histories and listings. */
async function kept(): Promise<string> {
  const texts: string[] = [];
  for await (const { workflowId, runId, memo } of site.client.temporal.workflow.list()) {
    texts.push(workflowId, JSON.stringify(memo));
    texts.push(textOf(await site.client.temporal.workflow.getHandle(workflowId, runId).fetchHistory()));
  }
  return texts.join('\n');
}

test('an orchestrator configured to show ids only leaves no word of a prompt in any history', async () => {
  await site.submit('night', ['a zebrafinch on velvet,256', 'an okapi in fog,512']);
  await batchEnd(site.client, 'night');
  const [row] = (await site.manifest('night')).images;
  const text = await kept();
  expect(text).toContain(row!.id);
  expect(text).not.toMatch(/zebrafinch|velvet|okapi|fog/);
});

test('a catalog that cannot be planned at night reports where it is wrong, not its content', async () => {
  const catalog = path.join(site.folder, 'broken.csv');
  await writeFile(catalog, 'prompt,size\n"capybara, quokka",256\na lynx,narwhal in mist\n');
  const input = batchInput({ catalog, store: site.store.url, bundle: BUNDLE }, 'broken');
  await site.client.temporal.workflow.start<Workflows['renderBatch']>('renderBatch', {
    taskQueue: ORCHESTRATOR_QUEUE,
    ...batchStart(input),
  });
  expect(await batchEnd(site.client, 'broken')).toMatchObject({
    state: 'failed',
    reason: expect.stringMatching(
      /line 3, size: expected one of .*, found something else \("npx pixart-batch plan" shows it\)/,
    ),
  });
  expect(await kept()).not.toMatch(/capybara|quokka|narwhal/);
});
