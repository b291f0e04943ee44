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
Writes the images that a review approved: export the decisions from the batch's page (contact-sheet.html) and pass them with --approved.
Without it, the decisions that were given to retries count. No server is needed.
When repeated, it writes only what has changed. A file that no export wrote, or that was changed since, is never replaced; none is removed.
The destination's export.json (next to a zip file: <name>.zip.export.json) records what was written. Exits with code 3 if an image could
not be exported, or another file is in its place. See docs/exporting-pictures.md.

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
        new Option('--to <place>', 'destination: a folder, gs://bucket/prefix, or a file that ends in .zip')
          .makeOptionMandatory()
          .argParser(notEmpty('a folder, gs://bucket/prefix or a .zip file')),
      )
      .option('--approved <decisions.csv>', "decisions exported from the batch's page")
      .option('--all', 'export every image, whatever a review says')
      .option(
        '--name <template>',
        'names of the files; fields: columns of the catalog, seed, side, density',
        '{id}.{ext}',
      ),
  )
    .option(
      '--sheet <name>',
      'write sprite sheets of this name with atlases (TexturePacker, JSON hash) instead of a file per image',
    )
    .addOption(
      new Option('--sheet-side <pixels>', 'maximum side of a sheet; default: 4096').argParser(wholeNumber(16, 8_192)),
    )
    .option('--sign', 'sign each file; needs --sign-with and --sign-as')
    .addOption(signWithOption('key to sign with'))
    .addOption(signAsOption())
    .option('--dry-run', 'write nothing, but show what would be written')
    .addOption(storeOption('store of the batch: a folder or gs://bucket/prefix'))
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
    note("these files lack the credentials of the batch's own copies, whose bytes differ; --sign signs the files");
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
    '--sign: expected --sign-with and --sign-as as well (PIXART_SIGN_WITH, PIXART_SIGN_AS), found neither',
  );
}

async function withProgress<T>(run: (onPictures: (done: number, pictures: number) => void) => Promise<T>): Promise<T> {
  let display: StepDisplay | undefined;
  try {
    return await run((done, pictures) => {
      display ??= stepDisplay(pictures, { what: 'image' });
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
    undecided: leftOut.undecided,
    'without an image': leftOut.withoutImage,
  })
    .filter(([, rows]) => rows > 0)
    .map(([why, rows]) => `${rows} ${why}`);
  const files = `${count(written.length, 'file')} ${dryRun ? 'would be written' : 'written'} to ${to}, ${unchanged.length} unchanged there`;
  return [
    `batch ${batch}: ${count(pictures, 'image')}${out.length > 0 ? ` (left out: ${out.join(', ')})` : ''}; ${files}`,
    ...(dryRun ? listed('would be written', written) : []),
    ...listed('kept, since no export wrote these or they were changed since', kept),
    ...listed('kept from earlier exports of the batch', left),
    ...listed(
      'not exported',
      unmade.map(({ id, reason }) => `${id}: ${reason}`),
    ),
    ...listed('check these: their edges are nearly the colour of the background', unclear),
  ];
}

function listed(what: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  const more = lines.length > LINES ? [`  … and ${lines.length - LINES} more; --json has all`] : [];
  return [`${what}:`, ...lines.slice(0, LINES).map((line) => `  ${line}`), ...more];
}
