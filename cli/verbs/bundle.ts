import { basename } from 'node:path';
import { Command } from 'commander';
import { UserError } from '../../domain/user-error.ts';
import {
  type Bundle,
  type BundleDescription,
  bundleRef,
  chosenBundle,
  openBundles,
  readVocabulary,
  verifyBundle,
} from '../../models/pixart/index.ts';
import { bundleMemory, mebibytes } from '../display/memory-text.ts';
import { note, printJson, printLine, table } from '../display/output.ts';
import { bytesText } from '../display/text.ts';
import { type JsonOptions, jsonOption } from '../options/common-options.ts';

const examples = `
Examples:
  $ npx pixart-batch bundle info
  $ npx pixart-batch bundle info ./exported/pixart-sigma-xl-2-1024
  $ npx pixart-batch bundle verify ./exported/pixart-sigma-xl-2-1024
`;

export function bundleCommand(): Command {
  const command = new Command('bundle').addHelpText('after', examples);
  command
    .command('info')
    .description('show what a bundle is and which sizes it serves; without a name, all installed bundles')
    .argument('[bundle]', 'name of an installed bundle, or the path to one')
    .addOption(jsonOption())
    .action(info);
  command
    .command('verify')
    .description('check every file of a bundle by size and SHA-256')
    .argument('[bundle]', 'name of an installed bundle, or the path to one; not needed if only one is installed')
    .addOption(jsonOption())
    .action(verify);
  return command;
}

async function info(name: string | undefined, { json }: JsonOptions): Promise<void> {
  const bundles = name === undefined ? await openBundles(({ message }) => note(message)) : [await chosenBundle(name)];
  if (json)
    return printJson(
      await Promise.all(
        bundles.map(async (bundle) => ({
          folder: bundle.folder,
          ...facts(bundle),
          memory: bundleMemory(bundle),
          vocabulary: await thingsOf(bundle),
        })),
      ),
    );
  if (bundles.length === 0) note('no bundle is installed; PIXART_BATCH_BUNDLES names folders to look in');
  for (const bundle of bundles) printLine(describe(bundle, await thingsOf(bundle)));
}

type Precision = NonNullable<BundleDescription['precision']>;
type Cuda = NonNullable<BundleDescription['cuda']>;

const facts = (bundle: Bundle) => {
  const { description, license, source, files, precision = null, cuda = null } = bundle.description;
  const bytes = Object.values(files).reduce((sum, file) => sum + file.bytes, 0);
  return {
    ...bundleRef(bundle),
    description,
    license,
    source,
    files: Object.keys(files).length,
    bytes,
    precision,
    cuda,
  };
};

/** What its model can draw; `null` if the bundle does not say, or its vocabulary cannot be read. */
async function thingsOf(bundle: Bundle): Promise<string[] | null> {
  try {
    return (await readVocabulary(bundle))?.things ?? null;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    note(error.message);
    return null;
  }
}

function describe(bundle: Bundle, things: string[] | null): string {
  const { name, description, digest, sizes, defaults, license, source, files, bytes, precision, cuda } = facts(bundle);
  // --bundle takes the name of the folder.
  const folder = basename(bundle.folder);
  return [
    `${folder === name ? name : `${folder} (${name})`}: ${description}`,
    table([
      ['  sizes', sizes.join(', ')],
      ['  defaults', `${defaults.steps} steps, guidance ${defaults.guidance}`],
      ['  digest', digest],
      ['  licence', license],
      ['  source', source],
      ['  files', `${files}, ${bytesText(bytes)}`],
      ['  weights', precision === null ? 'unknown' : precisionText(precision)],
      ...(cuda === null ? [] : [['  for CUDA', cudaText(cuda)]]),
      ['  memory', memoryText(bundle)],
      ...(things === null ? [] : [['  draws', things.join(', ')]]),
      ['  folder', bundle.folder],
    ]),
  ].join('\n');
}

/** With the largest relative error of a network's outputs that the export measured. */
const precisionText = ({ textEncoder, transformer, vae }: Precision): string =>
  Object.entries({ 'text encoder': textEncoder, transformer, VAE: vae })
    .map(([network, { weights, error }]) => `${network} ${weights} (error ${error.toExponential(1)})`)
    .join(', ');

/** Networks with a graph for GPUs, and how close its images are to those of the graph for CPUs. */
const cudaText = ({ textEncoder, transformer, vae }: Cuda): string =>
  Object.entries({ 'text encoder': textEncoder, transformer, VAE: vae })
    .flatMap(([network, graph]) => (graph === undefined ? [] : [`${network} in fp16 (${graph.psnr} dB)`]))
    .join(', ');

/** On a CPU; the memory needed on a GPU is unknown. */
function memoryText(bundle: Bundle): string {
  const memory = bundleMemory(bundle);
  if (memory === null) return 'unknown';
  const { images, painter: shared } = memory.microBatch;
  const bySize = (peaks: typeof shared): string =>
    Object.entries(peaks)
      .map(([size, peak]) => `${size} ${peak === null ? 'unknown' : mebibytes(peak)}`)
      .join(', ');
  return (
    `${bySize(memory.painter)} per process to render on a CPU (with --micro-batch ${images}: ${bySize(shared)}), ` +
    `${mebibytes(memory.textEncoder)} to encode texts`
  );
}

async function verify(name: string | undefined, { json }: JsonOptions): Promise<void> {
  const bundle = await chosenBundle(name ?? (process.env.PIXART_BUNDLE || undefined));
  const { files, bytes, digest } = facts(bundle);
  note(`checking ${files} files, ${bytesText(bytes)} …`);
  await verifyBundle(bundle);
  if (json) return printJson({ name: bundle.description.name, digest, files, bytes, intact: true });
  printLine(`${bundle.description.name}: intact`);
}
