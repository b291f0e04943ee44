import { connect } from '../../../client/index.ts';
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
    `"npm start" in a clone installs one; by hand: ${temporal.byHand}. Who has a server elsewhere sets TEMPORAL_ADDRESS`,
  );
}

export async function temporalServer(options: ServerOptions): Promise<Finding> {
  const what = 'Temporal server';
  const { target, from } = chooseServer(options);
  try {
    const client = await connect(target, { warn: () => {} });
    await client.close();
    return ok(what, `answers at ${target.address}, namespace ${target.namespace}`);
  } catch (error) {
    if (from === 'a person') return missing(what, messageOf(error), 'check --address and TEMPORAL_ADDRESS');
    return optional(what, `none answers at ${target.address}`, '"npx pixart-batch dev" runs one');
  }
}
