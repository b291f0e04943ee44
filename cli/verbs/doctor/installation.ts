import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { noTelemetry } from '../../../domain/child-environment.mjs';
import { ROOT } from '../../../infra/build/kept-build.mjs';
import { CHROMIUM_NAMES } from '../../../infra/dev/install-chromium.mjs';
import { findTool } from '../../../infra/dev/tools.mjs';
import project from '../../../package.json' with { type: 'json' };
import { type Finding, messageOf, missing, ok, optional } from './finding.ts';

const INSTALL = 'run ONNXRUNTIME_NODE_INSTALL=skip npm ci, or reinstall pixart-batch if it was installed with npm';

const [LEAST_MAJOR = 0, LEAST_MINOR = 0] = (/(\d+)\.(\d+)/.exec(project.engines.node)?.slice(1) ?? []).map(Number);

export function nodeVersion(version: string = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isNew = major > LEAST_MAJOR || (major === LEAST_MAJOR && minor >= LEAST_MINOR);
  return isNew
    ? ok('Node.js', version)
    : missing('Node.js', version, `${LEAST_MAJOR}.${LEAST_MINOR} or later: https://nodejs.org`);
}

/** @param root the folder with the package.json that depends on them */
export function packages(root: string = ROOT): Finding {
  const places = createRequire(path.join(root, 'package.json')).resolve.paths('any package') ?? [];
  const wrong = Object.entries(project.dependencies).flatMap(([name, wanted]) => {
    const file = places.map((place) => path.join(place, name, 'package.json')).find((place) => existsSync(place));
    if (file === undefined) return [`${name} is not installed`];
    const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
    return version === wanted ? [] : [`${name} is ${version}, expected ${wanted}`];
  });
  return wrong.length === 0
    ? ok('npm packages', `all ${Object.keys(project.dependencies).length}`)
    : missing('npm packages', wrong.slice(0, 3).join(', '), INSTALL);
}

/** Packages with a native part for each platform. */
const NATIVE = ['onnxruntime-node', 'sharp', '@temporalio/worker'];

export function nativePackages(
  load: (name: string) => unknown = createRequire(path.join(ROOT, 'package.json')),
): Finding {
  Object.assign(process.env, noTelemetry(process.env));
  const faults = NATIVE.flatMap((name) => {
    try {
      load(name);
      return [];
    } catch (error) {
      return [`${name}: ${messageOf(error).split('\n')[0]}`];
    }
  });
  const machine = `${process.platform} ${process.arch}`;
  return faults.length === 0
    ? ok('native packages', `those for ${machine}`)
    : missing('native packages', faults.join('; '), `${INSTALL}, on this machine and with its Node.js`);
}

/** Only a clone has tests. */
export function browser(): Finding[] {
  if (!existsSync(path.join(ROOT, 'tests'))) return [];
  const program = CHROMIUM_NAMES.map(findTool).find((found) => found !== null);
  const what = 'Chromium, for tests';
  return [program ? ok(what, program) : optional(what, 'none on the PATH', '"npm test" fetches one')];
}
