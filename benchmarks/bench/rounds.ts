import { say } from './part.ts';
import { type Competitor, startCompetitor } from './turns.ts';

/** A program's command line, and its name in the table. */
export type Entry = { name: string; command: string[]; environment?: NodeJS.ProcessEnv };

export type Measured = Competitor & { name: string; seconds: number[] };

/**
 * Starts all programs, one after another, and lets them run in turn, round by round. Returns processor seconds, in the
 * order of `entries`.
 */
export async function inTurn(entries: readonly Entry[], rounds: number): Promise<Measured[]> {
  const measured: Measured[] = [];
  try {
    for (const { name, command, environment } of entries) {
      say(`  loading: ${name}`);
      measured.push({ name, ...(await startCompetitor(command, environment)), seconds: [] });
    }
    for (let round = 1; round <= rounds; round += 1) {
      for (const one of measured) one.seconds.push((await one.run()).processorSeconds);
      say(
        `  round ${round}: ${measured.map(({ name, seconds }) => `${name} ${seconds.at(-1)!.toFixed(2)}`).join(', ')}`,
      );
    }
    return measured;
  } finally {
    await Promise.all(measured.map((one) => one.end()));
  }
}
