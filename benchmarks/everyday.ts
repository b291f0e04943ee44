/**
 * Everyday commands: `--help`, a plan of 100 rows and one of many, at an earlier commit and in this checkout in turn;
 * processor seconds and peak memory of the command. Linux only. `npx tsx benchmarks/everyday.ts [--rows 200000]
 * [--rounds 3] [--against eceba92] [--json]`
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { PART_OPTIONS, say, tellLines } from './bench/part.ts';
import type { Line } from './bench/report.ts';
import { commandUsage, type Usage } from './everyday/command-usage.ts';
import { writePlainRows } from './everyday/plain-rows.ts';
import { checkoutOf, thisCheckout } from './whole-product/checkout.ts';

const { values } = parseArgs({
  options: {
    ...PART_OPTIONS,
    rows: { type: 'string', default: '200000' },
    against: { type: 'string', default: 'eceba92' },
  },
});
const rounds = Number(values.rounds);

type Task = { what: string; args: string[]; runs: Map<string, Usage[]> };

const folder = await mkdtemp(path.join(tmpdir(), 'pixart-everyday-'));
const checkouts = [await checkoutOf(values.against, folder), thisCheckout()];

async function planOf(rows: number): Promise<Task> {
  const catalog = path.join(folder, `${rows}.csv`);
  await writePlainRows(catalog, rows);
  const args = ['plan', catalog, '--bundle', 'pixart-icons', '--store', path.join(folder, 'out')];
  return { what: `plan of ${rows.toLocaleString('en')} rows`, args, runs: new Map() };
}

async function measure({ what, args, runs }: Task): Promise<void> {
  for (const { name, folder: sources } of checkouts) {
    const command = [path.join(sources, 'cli', 'bin.mjs'), ...args];
    const usage = await commandUsage(command);
    runs.set(name, [...(runs.get(name) ?? []), usage]);
    say(`  ${what}, ${name}: ${usage.seconds.toFixed(2)} s, ${usage.megabytes.toFixed(0)} MB`);
  }
}

const [before, today] = checkouts.map(({ name }) => name) as [string, string];

function line({ what, runs }: Task, of: keyof Usage, goal: Line['goal']): Line {
  const valuesOf = (name: string): number[] => runs.get(name)!.map((usage) => usage[of]);
  return {
    what: of === 'seconds' ? what : `${what}, peak memory`,
    unit: of === 'seconds' ? 'processor s' : 'MB',
    ours: valuesOf(today),
    peer: { name: before, runs: valuesOf(before) },
    ...(goal && { goal }),
  };
}

try {
  const help: Task = { what: '--help', args: ['--help'], runs: new Map() };
  const [few, many] = [await planOf(100), await planOf(Number(values.rows))];
  // Building the sources happens once and is no part of a command.
  for (const { folder: sources } of checkouts) await commandUsage([path.join(sources, 'cli', 'bin.mjs'), '--help']);
  for (let round = 1; round <= rounds; round += 1) {
    say(`  round ${round} of ${rounds}`);
    for (const task of [help, few, many]) await measure(task);
  }
  const lines = [
    line(help, 'seconds', { ratio: 5 }),
    line({ ...help, what: '--help by itself' }, 'seconds', { atMost: 0.25 }),
    line(few, 'seconds', { atMost: 0.6 }),
    line(many, 'seconds', { ratio: 5 }),
    line({ ...many, what: `${many.what} by itself` }, 'seconds', { atMost: 16 }),
    line(many, 'megabytes', { atMost: 250 }),
  ];
  tellLines(lines, values.json);
} finally {
  for (const checkout of checkouts) checkout.remove();
  await rm(folder, { recursive: true, force: true });
}
