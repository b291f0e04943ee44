import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, unlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { cacheFolder } from '../../../infra/dev/tools.mjs';
import { TINY_BUNDLE } from './tiny-renderer.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const TELEMETRY = /DeveloperTools|onnxruntime/;

/**
 * Renders an image as a person's terminal does and gives the files that it left in their home. ONNX Runtime keeps quiet
 * in CI by itself.
 */
async function filesAfterRender(environment: Record<string, string>): Promise<string[]> {
  const home = await mkdtemp(path.join(tmpdir(), 'pixart-home-'));
  onTestFinished(() => rm(home, { recursive: true }));
  // What is made of the sources is the same in every home.
  mkdirSync(path.join(home, 'cache'));
  const made = path.join(home, 'cache', 'pixart-batch');
  symlinkSync(cacheFolder(), made);
  const { CI, GITHUB_ACTIONS, ORT_DISABLE_TELEMETRY, ...env } = process.env;
  const options = ['--bundle', TINY_BUNDLE, '--steps', '1', '--out', path.join(home, 'image.png')];
  await promisify(execFile)(process.execPath, [path.join(ROOT, 'cli/bin.mjs'), 'render', 'a fox', ...options], {
    env: { ...env, HOME: home, XDG_CACHE_HOME: path.join(home, 'cache'), ...environment },
  });
  unlinkSync(made);
  return readdirSync(home, { recursive: true, encoding: 'utf8' });
}

test('a render leaves no telemetry of ONNX Runtime in its user’s home', async () => {
  const files = await filesAfterRender({});
  expect(files).toContain('image.png');
  expect(files.filter((file) => TELEMETRY.test(file))).toEqual([]);
});

// Without this the test above could not fail: the runtime that we pin gathers unless it is told not to.
test.skipIf(process.platform !== 'linux')('who wants to take part does, with ORT_DISABLE_TELEMETRY=0', async () => {
  const files = await filesAfterRender({ ORT_DISABLE_TELEMETRY: '0' });
  expect(files).toContain('cache/Microsoft/DeveloperTools/.onnxruntime/deviceid');
});

test('nothing but models/pixart/onnxruntime.ts loads the package', () => {
  const isOurs = (name: string) => !name.startsWith('.') && !['node_modules', 'out', 'types'].includes(name);
  const folders = readdirSync(ROOT, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && isOurs(entry.name),
  );
  const files = folders.flatMap(({ name }) =>
    readdirSync(path.join(ROOT, name), { recursive: true, encoding: 'utf8' }).map((file) => path.join(name, file)),
  );
  const loading = files.filter(
    (file) =>
      /\.(ts|mjs)$/.test(file) &&
      /^(?!import type).*(from|import\(|require\() ?'onnxruntime-node'/m.test(
        readFileSync(path.join(ROOT, file), 'utf8'),
      ),
  );
  expect(loading).toEqual(['models/pixart/onnxruntime.ts']);
});
