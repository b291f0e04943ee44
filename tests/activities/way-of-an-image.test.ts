import childProcess from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createRenderImage } from '../../activities/render-image.ts';
import { openStore } from '../../store/index.ts';
import { rendererOfThisTest, tinyCaptions } from '../models/renderer/tiny-renderer.ts';
import { attempt, folderStore, planOf, tinyJob } from './rendering.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CHILD_STACK = new URL('child-stack.mjs', import.meta.url).href;

/** Functions of ours that wait for each other in a stack, tests left out, the outermost first. */
const functionsIn = (stack: string): string[] =>
  [...stack.matchAll(/ at (?:async )?(?:\w+\.)?(\S+) \((?:file:\/\/)?(.+):\d+:\d+\)$/gm)]
    .filter(([, , file]) => !/^(\.\.|node_modules|tests)\//.test(path.relative(ROOT, file!)))
    .map(([, name]) => name!)
    .reverse();

/** The stack in which this process's next children are told to render. */
function rememberStackOfRender(): { stack: string } {
  const remembered = { stack: '' };
  const { fork } = childProcess;
  const restore = (to: typeof fork): void => {
    childProcess.fork = to;
    syncBuiltinESMExports();
  };
  const { stackTraceLimit } = Error;
  onTestFinished(() => {
    restore(fork);
    Error.stackTraceLimit = stackTraceLimit;
  });
  Error.stackTraceLimit = 100;
  restore(((...args: Parameters<typeof fork>) => {
    const child = fork(...args);
    const send = child.send.bind(child) as (...message: unknown[]) => boolean;
    child.send = (message: { kind: string }, ...rest: unknown[]) => {
      if (message.kind === 'render') remembered.stack = new Error('render').stack!;
      return send(message, ...rest);
    };
    return child;
  }) as typeof fork);
  return remembered;
}

test('from the activity to the sampler’s steps an image goes through ten functions at most', async () => {
  const store = await folderStore();
  const childStack = fileURLToPath(new URL('stack', `${store.url}/`));
  vi.stubEnv('NODE_OPTIONS', `--import ${CHILD_STACK}?file=${encodeURIComponent(childStack)}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  const parent = rememberStackOfRender();
  const renderer = await rendererOfThisTest();
  const bundleDigest = renderer.bundle.digest;
  const shard = await planOf(store, [tinyJob(bundleDigest, { steps: 2 })]);
  await attempt(createRenderImage({ captions: tinyCaptions, openStore, renderer }), { store, shard, bundleDigest })
    .receipt;

  const [firstStep] = (await readFile(childStack, 'utf8')).split(/^(?=Error)/m);
  const inChild = functionsIn(firstStep!);
  const way = [...functionsIn(parent.stack), ...inChild.slice(0, inChild.indexOf('denoise') + 1)];
  expect(way[0]).toBe('renderImage');
  expect(way.at(-1)).toBe('denoise');
  expect(way.length, way.join(' > ')).toBeLessThanOrEqual(10);
});
