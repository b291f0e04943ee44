import { say } from './part.ts';
import { type Competitor, startCompetitor } from './turns.ts';

/** A program as it is started, and the name that the table has for it. */
export type Entry = { name: string; command: string[]; environment?: NodeJS.ProcessEnv };

export type Measured = Competitor & { name: string; seconds: number[] };

/** Loads all programs, one after another, and has them run in turn, round by round. In the order of `entries`; processor seconds. */
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
