import { Command } from 'commander';
import { cacheFolder } from '../../../infra/dev/tools.mjs';
import { printJson, printLine, table } from '../../display/output.ts';
import { EXIT } from '../../exit-codes.ts';
import {
  addServerOptions,
  bundleOption,
  deviceOption,
  type JsonOptions,
  jsonOption,
  type ServerOptions,
  stateOption,
  storeOption,
  userProjectOption,
} from '../../options/common-options.ts';
import { bundles } from './bundles.ts';
import type { Finding } from './finding.ts';
import { gpu } from './gpu.ts';
import { browser, nativePackages, nodeVersion, packages } from './installation.ts';
import { clock, disk, memory } from './machine.ts';
import { temporalProgram, temporalServer } from './server.ts';

const examples = `
Exits with code 2 if something required is missing. Optional items are listed, but do not count.

Examples:
  $ npx pixart-batch doctor
  $ npx pixart-batch doctor --device cuda:0 --store gs://my-bucket/icons
  $ npx pixart-batch doctor --json
`;

type Options = ServerOptions & JsonOptions & { store: string; state: string; bundle?: string; device: string };

export const doctorCommand = (): Command =>
  addServerOptions(new Command('doctor'))
    .addOption(storeOption())
    .addOption(userProjectOption())
    .addOption(stateOption())
    .addOption(bundleOption())
    .addOption(deviceOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(doctor);

async function doctor(options: Options): Promise<void> {
  const findings = await lookAtAll(options);
  if (options.json) for (const finding of findings) printJson(finding);
  else printLine(table(findings.flatMap(rowsOf)));
  if (findings.some(({ state }) => state === 'missing')) process.exitCode = EXIT.badInput;
}

async function lookAtAll(options: Options): Promise<Finding[]> {
  const { store, state, device } = options;
  const { bundle, findings } = await bundles(options.bundle);
  const isBucket = store.startsWith('gs://');
  return [
    nodeVersion(),
    packages(),
    nativePackages(),
    temporalProgram(),
    ...(await temporalServer(options)),
    ...findings,
    await memory(bundle),
    ...(isBucket ? [] : [await disk('disk of the store', store)]),
    await disk('disk of the state', state),
    await disk('disk of the cache', cacheFolder()),
    await clock(store, state),
    ...(await gpu(device)),
    ...browser(),
  ];
}

const WORDS = { ok: 'ok', missing: 'MISSING', optional: '–' };

const rowsOf = ({ what, state, found, remedy }: Finding): string[][] => [
  [WORDS[state], what, found],
  ...(remedy === undefined ? [] : [['', '', `  ${remedy}`]]),
];
