// Measures peers and us in turn and prints one table:
// npm run bench [-- --only step-256,decoder] [--rounds 3] [--real FOLDER] [--scratch FOLDER] [--json]

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { machine } from './bench/machine.ts';
import { PART_OPTIONS, withScratch } from './bench/part.ts';
import { PARTS, type Part } from './bench/parts.ts';
import { isMet, type Line, ratio, table } from './bench/report.ts';

const HELP = `usage: npm run bench -- [--only PART,PART] [--rounds 3] [--real FOLDER] [--scratch FOLDER] [--json]

--real     a checkpoint of real size (10.9 GB): models/python.sh -m export.random_checkpoint FOLDER;
           without it, the parts that need it are skipped
--scratch  a folder that keeps bundles and graphs for later runs (up to 12 GB); default: a temporary
           folder, removed at the end

${PARTS.map((part) => `  ${part.name.padEnd(20)} ${part.what}; ${part.minutes} min${part.isReal ? ', needs --real' : ''}`).join('\n')}
`;

const { values } = parseArgs({
  options: { ...PART_OPTIONS, only: { type: 'string' }, help: { type: 'boolean', default: false } },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const parts = chosenParts();
const lines: Line[] = [];
const failed: string[] = [];
await withScratch(values.scratch, async (scratch) => {
  for (const [index, part] of parts.entries()) {
    console.error(`${index + 1} of ${parts.length}, ${part.name}: ${part.what}, about ${part.minutes} min`);
    try {
      lines.push(...(await measure(part, scratch)));
    } catch (error) {
      // The other parts' figures are kept.
      failed.push(`${part.name}: ${error instanceof Error ? error.message : error}`);
      console.error(failed.at(-1));
    }
  }
});
if (values.json) {
  const measured = lines.map((line) => ({ ...line, ratio: ratio(line), isMet: isMet(line) }));
  console.log(JSON.stringify({ machine: machine(), lines: measured, failed }, null, 2));
} else {
  console.log([...machine(), '', table(lines), ...failed.map((line) => `\nnot measured: ${line}`)].join('\n'));
}
if (failed.length > 0) process.exitCode = 1;

function chosenParts(): Part[] {
  const names = values.only?.split(',');
  const strange = names?.filter((name) => !PARTS.some((part) => part.name === name)) ?? [];
  if (strange.length > 0) {
    console.error(
      `--only: expected names among ${PARTS.map((part) => part.name).join(', ')}, found ${strange.join(', ')}`,
    );
    process.exit(2);
  }
  const asked = PARTS.filter((part) => names === undefined || names.includes(part.name));
  const isPossible = (part: Part): boolean => !part.isReal || values.real !== undefined;
  for (const part of asked)
    if (!isPossible(part)) console.error(`${part.name}: skipped, because it needs --real FOLDER`);
  return asked.filter(isPossible);
}

/** A part runs in its own process, logs its progress to standard error, and prints its lines as JSON when done. */
async function measure(part: Part, scratch: string): Promise<Line[]> {
  const real = part.isReal ? ['--real', values.real!] : [];
  const args = [...part.command, '--rounds', values.rounds, '--json', '--scratch', scratch, ...real];
  const child = spawn(process.execPath, ['--import', 'tsx', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit') as Promise<[number | null]>;
  let output = '';
  for await (const chunk of child.stdout) output += chunk;
  const [code] = await ended;
  if (code !== 0) throw new Error(`exited with code ${code}; see its output above`);
  return JSON.parse(output) as Line[];
}
