import {
  type BatchClient,
  connect,
  lackOfCurrent,
  type OrchestratorsSeen,
  orchestratorsSeen,
  versionText,
} from '../../../client/index.ts';
import { temporal } from '../../../infra/dev/pinned-tools.mjs';
import { findTools } from '../../../infra/dev/tools.mjs';
import type { ServerOptions } from '../../options/common-options.ts';
import { chooseServer } from '../../server-choice.ts';
import { type Finding, messageOf, missing, ok, optional } from './finding.ts';

export function temporalProgram(): Finding {
  const [program] = findTools('temporal');
  const what = 'Temporal program';
  if (program !== undefined) return ok(what, program);
  return missing(
    what,
    'none on the PATH, which "dev" needs',
    `"npm start" in a clone installs one; by hand: ${temporal.byHand}. For a server elsewhere, set TEMPORAL_ADDRESS`,
  );
}

/** The server, and workflow versions if orchestrators are versioned. */
export async function temporalServer(options: ServerOptions): Promise<Finding[]> {
  const what = 'Temporal server';
  const { target, from } = chooseServer(options);
  try {
    const client = await connect(target, { warn: () => {} });
    const versions = await workflowVersions(client).finally(() => client.close());
    return [ok(what, `answers at ${target.address}, namespace ${target.namespace}`), ...versions];
  } catch (error) {
    if (from === 'a person') {
      return [missing(what, messageOf(error), 'check --address and TEMPORAL_ADDRESS')];
    }
    return [optional(what, `none answers at ${target.address}`, '"npx pixart-batch dev" runs one')];
  }
}

async function workflowVersions(client: BatchClient): Promise<Finding[]> {
  const what = 'workflow versions';
  const seen = await orchestratorsSeen(client).catch(() => null);
  if (seen === null) return [];
  const { current, ramping, asking } = seen;
  const lack = lackOfCurrent(seen);
  if (lack !== null) return [missing(what, 'none is current, so no batch starts', lack)];
  if (current === null) return ramping?.version ? [ok(what, rampText(ramping.version, ramping.percentage))] : [];
  const serving = asking.filter(({ version }) => version !== null && versionText(version) === versionText(current));
  if (serving.length === 0) {
    return [
      missing(what, `${versionText(current)} is current, but no orchestrator has it`, 'start one of that version'),
    ];
  }
  const share = ramping === null ? '' : `; ${Math.round(ramping.percentage)} % of new batches go to another version`;
  return [ok(what, `${versionText(current)} is current${share}`)];
}

/** Without a current version, batches outside the ramp go to unversioned orchestrators. */
const rampText = (version: NonNullable<OrchestratorsSeen['current']>, percentage: number): string =>
  `none is current; ${Math.round(percentage)} % of new batches go to ${versionText(version)}, the others to orchestrators without a version`;
