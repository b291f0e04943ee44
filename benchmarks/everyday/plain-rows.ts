import { open } from 'node:fs/promises';

const ADJECTIVES =
  'glossy matte tiny huge old new wooden golden silver glass stone paper round square soft rusty wet broken shiny striped spotted folded carved frozen';
const THINGS =
  'apple fox owl cup sword castle tree boat lamp chair clock key bridge cloud drum feather anchor bell book candle crown dragon engine flower ' +
  'guitar hammer island jacket kite ladder mirror needle orange pencil robot shield';
const COLOURS = 'red orange yellow green blue purple pink brown grey white black teal';
const VIEWS =
  'seen from above|seen from the left|seen from the right|as a flat icon|as a sticker|in soft light|at night|in the rain';

const listOf = (words: string, by: string): string[] => words.split(by);

const CHOICES = [
  listOf(ADJECTIVES, ' '),
  listOf(COLOURS, ' '),
  listOf(THINGS, ' '),
  listOf(COLOURS, ' '),
  listOf(VIEWS, '|'),
] as const;

/** A prompt that is unique among up to a million rows. */
function prompt(row: number): string {
  let left = row;
  const [adjective, colour, thing, background, view] = CHOICES.map((words) => {
    const word = words[left % words.length]!;
    left = Math.floor(left / words.length);
    return word;
  });
  return `a ${adjective} ${colour} ${thing} on a ${background} background, ${view}`;
}

/** Writes a catalog like a studio's spreadsheet: an id, a prompt and a column of the studio's own. */
export async function writePlainRows(file: string, rows: number): Promise<void> {
  const catalog = await open(file, 'w');
  await catalog.write('id,prompt,category\n');
  for (let row = 0; row < rows; row += 1_000) {
    const lines = Array.from({ length: Math.min(1_000, rows - row) }, (_, at) => {
      const number = row + at;
      return `item-${number},"${prompt(number)}",set ${number % 20}\n`;
    });
    await catalog.write(lines.join(''));
  }
  await catalog.close();
}
