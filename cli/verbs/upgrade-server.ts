import { Command } from 'commander';
import { listBatches } from '../../client/index.ts';
import { type MovedSchedule, moveSchedules, unfinishedBefore } from '../../client/move-schedules.ts';
import { UserError } from '../../domain/user-error.ts';
import { temporal } from '../../infra/dev/pinned-tools.mjs';
import { serverFile } from '../../infra/dev/temporal-program.ts';
import { type Upgrade, type UpgradeServers, upgradeServer } from '../../infra/dev/upgrade-server.ts';
import { collect, note, printLine } from '../display/output.ts';
import { count, utcText } from '../display/text.ts';
import { EXIT } from '../exit-codes.ts';
import { interruption } from '../interruption.ts';
import { stateOption } from '../options/common-options.ts';
import { withClient } from '../with-client.ts';

const examples = `
A database file can only be used by the server version that made it: a later one would lose its schedules. This command moves the schedules to a
new file in the state folder, and keeps the old one next to it. All batches must have ended, and "dev" must not be running. The new server does
not know old batches: "list" leaves them out; "status", "report" and "retry" find them in their store.

Examples:
  $ npx pixart-batch upgrade-server
  $ npx pixart-batch upgrade-server --state /srv/pixart
`;

export const upgradeServerCommand = (): Command =>
  new Command('upgrade-server').addOption(stateOption()).addHelpText('after', examples).action(run);

async function run({ state }: { state: string }): Promise<void> {
  const signal = interruption();
  const file = serverFile(state);
  try {
    const upgrade = await upgradeServer(file, (servers) => move(servers, signal));
    printLine(
      upgrade === null
        ? `${file} already uses Temporal server ${temporal.server}: nothing to do`
        : upgradeText(file, upgrade),
    );
  } catch (error) {
    if (error !== signal.reason) throw error;
    note('interrupted; nothing has changed');
    process.exitCode = EXIT.interrupted;
  }
}

type Moved = { schedules: MovedSchedule[]; batches: number; afterwards: string[] };

const move = ({ from, to, servedUntil, copiedAt }: UpgradeServers, signal: AbortSignal): Promise<Moved> =>
  withClient({ address: from, namespace: 'default' }, (older) =>
    withClient({ address: to, namespace: 'default' }, async (newer) => {
      const { batches: unfinished, afterwards } = await unfinishedBefore(older, copiedAt);
      if (unfinished.length > 0) {
        throw new UserError(
          `expected all batches to have ended; still running: ${unfinished.join(', ')}. Run "npx pixart-batch dev" until they ` +
            'have ended, or cancel them there',
        );
      }
      note('moving the schedules …');
      const schedules = await moveSchedules(older, newer, servedUntil);
      const batches = (await collect(listBatches(older))).filter(({ endedAt }) => endedAt !== null).length;
      signal.throwIfAborted();
      return { schedules, batches, afterwards };
    }),
  );

function upgradeText(file: string, { from, to, oldFile, moved }: Upgrade<Moved>): string {
  const { schedules, batches, afterwards } = moved;
  return [
    `${file} now uses Temporal server ${to} (was ${from})`,
    `  ${count(schedules.length, 'schedule')} moved`,
    ...schedules.map(({ name, paused, due }) => `    ${name}${paused ? ', paused' : ''}${dueText(due)}`),
    `  not moved: the histories of ended batches (${batches}); their images and manifests stay in the store`,
    ...afterwards.map((what) => `  not moved: ${what}, which was still pending`),
    `  the old file   ${oldFile}`,
  ].join('\n');
}

const dueText = (due: Date[]): string =>
  due.length === 0 ? '' : `; was due meanwhile, last at ${utcText(due.at(-1)!)} (UTC): the next "dev" catches up`;
