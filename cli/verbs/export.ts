import { Command, Option } from 'commander';
import { type BatchExport, exportBatch } from '../../client/index.ts';
import { UserError } from '../../domain/user-error.ts';
import { note, printJson, printLine } from '../display/output.ts';
import { type StepDisplay, stepDisplay } from '../display/step-display.ts';
import { count } from '../display/text.ts';
import { EXIT } from '../exit-codes.ts';
import {
  type JsonOptions,
  jsonOption,
  type SigningOptions,
  signAsOption,
  signingOf,
  signWithOption,
  storeOption,
  userProjectOption,
} from '../options/common-options.ts';
import { addLookOptions, type LookOptions } from '../options/export-options.ts';
import { notEmpty, wholeNumber } from '../options/values.ts';

const examples = `
Takes the pictures that a review approved: export the decisions from the batch's page (contact-sheet.html) and give them with --approved. Without
it what retries were told counts. No server is needed.

Given again, it writes only what has changed. A file that no export wrote, or that was changed since, is never replaced; none is removed. What was
written is in export.json there, beside a zip file in <name>.zip.export.json. It ends with exit code 3 where a picture could not be exported, or a file stays that
is in the way. docs/exporting-pictures.md tells more.

Examples:
  $ npx pixart-batch export spring --approved decisions.csv --to assets
  $ npx pixart-batch export spring --all --to spring.zip --name '{category}/{id}-{seed}.{ext}'
  $ npx pixart-batch export spring --to assets --transparent --trim --padding 4 --side 64 --density 1x,2x,3x --format webp
  $ npx pixart-batch export spring --to gs://my-bucket/game --transparent --trim --side 64 --density 1x,2x --sheet icons
`;

export const exportCommand = (): Command =>
  addLookOptions(
    new Command('export')
      .argument('<batch>')
      .addOption(
        new Option('--to <place>', 'a folder, gs://bucket/prefix, or a file that ends in .zip')
          .makeOptionMandatory()
          .argParser(notEmpty('a folder, gs://bucket/prefix or a .zip file')),
      )
      .option('--approved <decisions.csv>', "what the batch's page exports")
      .option('--all', 'every picture that there is, whatever a review says')
      .option(
        '--name <template>',
        'the names of files; fields are the columns of the catalog, seed, side, density',
        '{id}.{ext}',
      ),
  )
    .option(
      '--sheet <name>',
      'sprite sheets of that name with atlases (TexturePacker, JSON hash), instead of a file for each picture',
    )
    .addOption(
      new Option('--sheet-side <pixels>', 'what the longer side of a sheet has at most; otherwise 4096').argParser(
        wholeNumber(16, 8_192),
      ),
    )
    .option('--sign', 'sign each file; with --sign-with and --sign-as')
    .addOption(signWithOption('with this'))
    .addOption(signAsOption())
    .option('--dry-run', 'write nothing, and tell what would be written')
    .addOption(storeOption('where the batch lies: a folder or gs://bucket/prefix'))
    .addOption(userProjectOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(exportPictures);

type ExportOptions = LookOptions &
  SigningOptions &
  JsonOptions & {
    to: string;
    approved?: string;
    all?: true;
    name: string;
    sheet?: string;
    sheetSide?: number;
    sign?: true;
    dryRun?: true;
    store: string;
  };

async function exportPictures(batch: string, options: ExportOptions): Promise<void> {
  const { to, store, json, dryRun } = options;
  const done = await withProgress((onPictures) => exportBatch(batch, { ...requestOf(options), store, to, onPictures }));
  if (json) printJson({ batch, to, dryRun: dryRun === true, ...done });
  else for (const line of describe(batch, done, options)) printLine(line);
  if (done.losesCredentials) {
    note(
      "the files lack the credentials that the batch's own copies have, which are of other bytes; --sign signs them anew",
    );
  }
  if (done.kept.length + done.unmade.length > 0) process.exitCode = EXIT.imagesMissing;
}

function requestOf(options: ExportOptions) {
  const { approved, all, name, quality, transparent, trim, padding, pngParameters, sheet, sheetSide, dryRun } = options;
  return {
    ...{ approved, all, name, quality, transparent, trim, padding, pngParameters, sheet, sheetSide, dryRun },
    ...{ sides: options.side, densities: options.density, formats: options.format },
    sign: options.sign === true ? configuredKey(options) : undefined,
  };
}

function configuredKey(options: SigningOptions) {
  const signing = signingOf(options);
  if (signing !== undefined) return signing;
  throw new UserError(
    '--sign: expected --sign-with and --sign-as beside it (PIXART_SIGN_WITH, PIXART_SIGN_AS), found neither',
  );
}

async function withProgress<T>(run: (onPictures: (done: number, pictures: number) => void) => Promise<T>): Promise<T> {
  let display: StepDisplay | undefined;
  try {
    return await run((done, pictures) => {
      display ??= stepDisplay(pictures, { what: 'picture' });
      display.show(done);
    });
  } finally {
    display?.end();
  }
}

const LINES = 20;

function describe(batch: string, done: BatchExport, { to, dryRun }: Pick<ExportOptions, 'to' | 'dryRun'>): string[] {
  const { pictures, leftOut, written, unchanged, kept, left, unmade, unclear } = done;
  const out = Object.entries({
    rejected: leftOut.rejected,
    'not decided on': leftOut.undecided,
    'without image': leftOut.withoutImage,
  })
    .filter(([, rows]) => rows > 0)
    .map(([why, rows]) => `${rows} ${why}`);
  const files = `${count(written.length, 'file')} ${dryRun ? 'would be written' : 'written'} to ${to}, ${unchanged.length} unchanged there`;
  return [
    `batch ${batch}: ${count(pictures, 'picture')}${out.length > 0 ? ` (left out: ${out.join(', ')})` : ''}; ${files}`,
    ...(dryRun ? listed('would be written', written) : []),
    ...listed('no export wrote these, or they were changed since; they stay', kept),
    ...listed('earlier exports of the batch wrote these; they stay', left),
    ...listed(
      'not exported',
      unmade.map(({ id, reason }) => `${id}: ${reason}`),
    ),
    ...listed('look at these: their rims have nearly the colour of their background', unclear),
  ];
}

function listed(what: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  const more = lines.length > LINES ? [`  … and ${lines.length - LINES} more; --json has all`] : [];
  return [`${what}:`, ...lines.slice(0, LINES).map((line) => `  ${line}`), ...more];
}
