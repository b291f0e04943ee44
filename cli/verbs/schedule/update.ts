import { Command, Option } from 'commander';
import {
  type ChangedSetting,
  chosenBundle,
  type FailureBudget,
  type ScheduleChange,
  type SettingValue,
  type UpdatedSchedule,
  updateSchedule,
} from '../../../client/index.ts';
import { UserError } from '../../../domain/user-error.ts';
import { checkAllowedHere } from '../../allowed-here.ts';
import { silenceOf } from '../../display/message-text.ts';
import { note, printJson, printLine, table } from '../../display/output.ts';
import { type AtMostOptions, addTeamOptions, type TeamOptions } from '../../options/batch-options.ts';
import { type CatalogOptions, catalogOptions, expansionOf, signed } from '../../options/catalog-options.ts';
import {
  addServerOptions,
  type JsonOptions,
  jsonOption,
  type ServerOptions,
  userProjectOption,
} from '../../options/common-options.ts';
import { addScheduleOptions, type ScheduleOptions, timesChangeOf } from '../../options/schedule-options.ts';
import { notEmpty, spanText } from '../../options/values.ts';
import { withClient } from '../../with-client.ts';
import { addRunOptions, nextText, overLimitText, tellForecast, troubleText } from './create.ts';

/** `false` removes a setting. */
type UpdateOptions = Partial<Omit<CatalogOptions, 'column' | 'sheet' | 'expand' | 'sign' | 'name'>> &
  ServerOptions &
  JsonOptions &
  Omit<TeamOptions, 'team'> &
  Omit<AtMostOptions, 'maxJobs' | 'maxCost'> &
  ScheduleOptions & {
    catalog?: string;
    pauseOnFailure?: boolean;
    window?: number;
    maxFailures?: FailureBudget;
    team?: string | false;
    webhook?: string | false;
    column?: Record<string, string> | false;
    sheet?: string | false;
    name?: string | false;
    maxJobs?: number | false;
    maxCost?: number | false;
    expand?: boolean;
    sign?: boolean;
  };

const examples = `
Changes only the given settings: --at alone keeps the days, --days alone the time of day (for every day, name all seven). The schedule
keeps its history and notes, stays paused if it is, and its running batch is not affected.

Examples:
  $ npx pixart-batch schedule update nightly --at 23:00
  $ npx pixart-batch schedule update nightly --catalog gs://my-bucket/catalogs/spring.csv --size 1024 --window 32
  $ npx pixart-batch schedule update nightly --max-jobs 500 --max-cost 20 --cost-per-hour 2.5
  $ npx pixart-batch schedule update nightly --no-webhook --no-max-jobs --json
`;

export const updateCommand = (): Command =>
  addServerOptions(
    asNamed(addTakingAway(addRunOptions(addTeamOptions(addScheduleOptions(addReading(new Command('update'))))))),
  )
    .description('change the given settings of a schedule, and nothing else')
    .argument('<name>')
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(update);

function addReading(command: Command): Command {
  command.addOption(
    new Option('--catalog <catalog>', 'read another catalog').argParser(notEmpty('a path or gs:// URL')),
  );
  for (const option of catalogOptions()) command.addOption(option.default(undefined));
  return command;
}

/** Only options change a schedule; variables in the environment do not. */
function asNamed(command: Command): Command {
  for (const option of command.options) delete option.envVar;
  return command.addOption(userProjectOption());
}

const addTakingAway = (command: Command): Command =>
  command
    .option('--no-column', 'read all columns by our own names')
    .option('--no-sheet', 'read the first sheet that is not hidden')
    .option('--no-name', 'name copies by their ids')
    .option('--no-expand', 'do not expand choices in cells')
    .option('--no-sign', 'do not sign copies')
    .option('--no-team', 'remove the team')
    .option('--no-webhook', 'send no messages')
    .option('--no-pause-on-failure', 'keep starting batches after a failure')
    .option('--no-max-jobs', 'remove the limit on images')
    .option('--no-max-cost', 'remove the limit on cost');

async function update(name: string, options: UpdateOptions): Promise<void> {
  const change = await changeOf(options);
  const { store, catalog, webhook } = change;
  const updated = await withClient(options, async (client) => {
    const places = { catalog: catalog ?? undefined, terms: options.terms, webhook: webhook ?? undefined };
    await checkAllowedHere(client, { ...places, store: store ?? undefined });
    const updated = await updateSchedule(client, name, change);
    for (const line of await silenceOf(client, webhook ?? undefined)) note(line);
    return updated;
  });
  const { catalog: found, atMost, ...told } = updated;
  if (options.json) printJson({ name, ...told });
  else printLine(updatedText(name, updated));
  if (found.trouble !== null) note(troubleText(catalog ?? `the catalog of ${name}`, found.trouble));
  const excess = overLimitText(found, atMost);
  if (excess !== null) note(excess);
  tellForecast(updated);
}

async function changeOf(options: UpdateOptions): Promise<ScheduleChange> {
  checkTakenAway(options);
  const { catalog, store, catalogFormat: format, imageFormat, size, quality } = options;
  const { timeZone, overlap, catchUp, jitter, pauseOnFailure, window, maxFailures } = options;
  const bundle = options.bundle === undefined ? undefined : await chosenBundle(options.bundle);
  const defaults = {
    ...{ format: imageFormat, size, quality, sign: options.sign === false ? null : signed(signOptions(options)) },
    seeds: options.seeds === 'prompt' ? null : options.seeds,
    decode: options.decode === 'tiled' ? null : options.decode,
  };
  const isOfImages = Object.values(defaults).some((value) => value !== undefined);
  const change = {
    ...{
      catalog,
      store,
      format,
      columns: orNull(options.column),
      sheet: orNull(options.sheet),
      naming: orNull(options.name),
      bundle,
      defaults: isOfImages ? defaults : undefined,
    },
    expansion: options.expand === false ? null : expansionOf(options),
    ...{ when: timesChangeOf(options), timeZone, overlap, catchUp, jitter, pauseOnFailure, window, maxFailures },
    ...{ team: teamChange(options), webhook: orNull(options.webhook) },
    atMost: limitsChange(options),
  };
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
}

const orNull = <Value>(option: Value | false): Value | null => (option === false ? null : option);

/** Options that refine another one, and make no sense if that one is removed. */
const MORE_OF: [keyof UpdateOptions, (keyof UpdateOptions)[]][] = [
  ['expand', ['terms', 'sample', 'sampleSeed', 'maxPerRow']],
  ['sign', ['signPrompts']],
  ['team', ['weight']],
  ['maxCost', ['costPerHour']],
];

function checkTakenAway(options: UpdateOptions): void {
  for (const [what, more] of MORE_OF) {
    const beside = options[what] === false ? more.find((name) => options[name] !== undefined) : undefined;
    if (beside === undefined) continue;
    throw new UserError(`${flag('no', what)}: expected no ${flag(beside)} with it, found both; leave one of them out`);
  }
}

const flag = (...parts: string[]): string => `--${parts.map((part) => words(part).replaceAll(' ', '-')).join('-')}`;

const signOptions = ({ sign, signPrompts }: UpdateOptions) => ({
  ...(sign && { sign: true as const }),
  ...(signPrompts && { signPrompts }),
});

function teamChange({ team, weight }: UpdateOptions): ScheduleChange['team'] {
  if (team === false) return null;
  if (team !== undefined) return { name: team, weight: weight ?? 1 };
  return weight === undefined ? undefined : { weight };
}

function limitsChange({ maxJobs, maxCost, costPerHour }: UpdateOptions): ScheduleChange['atMost'] {
  const isCost = typeof maxCost === 'number' || costPerHour !== undefined;
  if (maxJobs === undefined && maxCost === undefined && !isCost) return undefined;
  const cost = {
    ...(typeof maxCost === 'number' && { amount: maxCost }),
    ...(costPerHour !== undefined && { perHour: costPerHour }),
  };
  return {
    ...(maxJobs !== undefined && { images: orNull(maxJobs) }),
    ...(maxCost === false ? { cost: null } : isCost && { cost }),
  };
}

function updatedText(name: string, updated: UpdatedSchedule): string {
  const { changes, next } = updated;
  if (changes.length === 0) return `schedule ${name} already has these settings`;
  const lines = [`schedule ${name} is changed`, table(changes.map(changeCells))];
  return [...lines, ...(next.length === 0 ? [] : [nextText(updated)])].join('\n');
}

const changeCells = ({ setting, before, after }: ChangedSetting): string[] => [
  `  ${WORDS.get(setting) ?? words(setting)}`,
  `${valueText(setting, before)} → ${valueText(setting, after)}`,
];

/** `timeZone` as `time zone`. */
const words = (setting: string): string => setting.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

const WORDS = new Map([
  ['catchUpMs', 'catch-up'],
  ['jitterMs', 'jitter'],
  ['naming', 'names of copies'],
  ['costPerHour', 'cost per hour'],
]);

function valueText(setting: string, value: SettingValue): string {
  if (value === null) return 'none';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number') return setting.endsWith('Ms') ? spanText(value) : String(value);
  if (typeof value === 'string') return value;
  return Object.entries(value)
    .map(([key, of]) => `${key} ${String(of)}`)
    .join(', ');
}
