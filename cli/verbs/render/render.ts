import { extname } from 'node:path';
import { Command } from 'commander';
import { planCatalog } from '../../../catalog/plan-catalog.ts';
import { CatalogError, type Problem } from '../../../catalog/problems.ts';
import { extension, IMAGE_FORMATS, type ImageFormat, standardQuality } from '../../../domain/image-format.ts';
import type { Job } from '../../../domain/job.ts';
import { byColumn } from '../../../domain/parameters.ts';
import { thriftText } from '../../../domain/thrift.ts';
import { UserError } from '../../../domain/user-error.ts';
import { encodeImage } from '../../../images/index.ts';
import { metadataLimit } from '../../../images/metadata-limit.ts';
import {
  type Bundle,
  type BundleRef,
  bundleRef,
  chosenBundle,
  type PaintedImage,
  PIPELINE_VERSION,
  type RequestCaptions,
} from '../../../models/pixart/index.ts';
import {
  type RendererOptions,
  startRenderer,
  TooLittleMemory,
  withLessMemory,
} from '../../../models/renderer/index.ts';
import { renderConfig } from '../../../workers/render-config.ts';
import { note, printJson, printLine } from '../../display/output.ts';
import { stepDisplay } from '../../display/step-display.ts';
import { bytesText } from '../../display/text.ts';
import { EXIT } from '../../exit-codes.ts';
import { interruption } from '../../interruption.ts';
import { decodeOption, qualityOption } from '../../options/catalog-options.ts';
import {
  bundleOption,
  deviceOption,
  type JsonOptions,
  jsonOption,
  threadsOption,
} from '../../options/common-options.ts';
import { encodeTexts } from './encode-texts.ts';
import { checkPlace, saveImage } from './image-file.ts';
import { promptRemarks } from './prompt-remarks.ts';
import { bundleLike, type Model, modelImage, rowLike, whatDiffers } from './render-like.ts';
import { type RowOptions, rowAsked, rowOptions } from './row-options.ts';

type RenderOptions = RowOptions &
  JsonOptions & {
    like?: string;
    bundle?: string;
    device: string;
    threads?: number;
    quality?: number;
    decode?: 'tiled' | 'whole';
    out?: string;
    force?: true;
  };

const examples = `
The same prompt and options render the same image as a row of a catalog.

Examples:
  $ npx pixart-batch render "a glossy apple on a green background"
  $ npx pixart-batch render "a flat rocket on a navy background" --size 512 --aspect 3:4 --seed 7 --out rocket.webp
  $ npx pixart-batch render --like rocket.webp --out again.webp          # the same image again
  $ npx pixart-batch render --like rocket.webp --seed 8 --out other.webp # the same except for the seed
`;

export function renderCommand(): Command {
  const command = new Command('render')
    .argument('[prompt]', 'may be omitted with --like')
    .option('--like <image>', 'take everything not given here from an image that pixart-batch made')
    .option('--out <file>', 'file to write, whose ending chooses the format; default: <seed and prompt>.png here')
    .option('--force', 'replace an existing file');
  for (const option of rowOptions()) command.addOption(option);
  return command
    .addOption(qualityOption())
    .addOption(decodeOption())
    .addOption(bundleOption())
    .addOption(deviceOption())
    .addOption(threadsOption('CPU threads; default: the number of cores'))
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(render);
}

async function render(prompt: string | undefined, options: RenderOptions): Promise<void> {
  const model = options.like === undefined ? null : await modelImage(options.like);
  if (prompt === undefined && model === null) throw new UserError('expected a prompt, or an image with --like');
  const bundle = model ? await bundleLike(model, options.bundle) : await chosenBundle(options.bundle);
  const asked = rowAsked(prompt, options);
  const format = formatOf(options, model);
  if (options.quality !== undefined && format === 'png') {
    throw new UserError(
      '--quality: expected --out with a name in .webp, .avif or .jpeg as well; png keeps every pixel',
    );
  }
  const quality = options.quality ?? (format === 'png' ? null : (model?.origin.quality ?? standardQuality(format)));
  const decode = (options.decode ?? model?.origin.decode) === 'whole' ? 'whole' : undefined;
  const job = await onlyJob(model ? rowLike(model, asked) : asked, { format, quality, decode }, bundleRef(bundle));
  const isChanged = [options.quality, options.decode, ...Object.values(asked)].some((value) => value !== undefined);
  const difference = model && whatDiffers(model, bundle, job, isChanged);
  if (difference) note(difference);
  for (const line of await promptRemarks(job, bundle)) note(line);
  const file = options.out ?? defaultName(job);
  await checkPlace(file, options.force === true);
  const { device, threads } = renderConfig({
    bundle: bundle.folder,
    device: options.device,
    sizes: [],
    graceSeconds: 0,
    ...(options.threads === undefined ? {} : { threads: options.threads }),
  });

  const signal = interruption();
  const loading = { bundleFolder: bundle.folder, device, threads };
  note(`loading bundle ${bundle.description.name} …`);
  try {
    const { captions, textEncodeMs } = await encodeTexts(job, bundle, { ...loading, signal });
    const { image, bytes } = await paint(job, bundle, captions, { ...loading, signal });
    await saveImage(file, bytes, options.force === true);
    if (options.json) {
      return printJson({ file, bytes: bytes.length, ...job, timings: { textEncodeMs, ...image.timings } });
    }
    printLine(`${file}: ${job.width}×${job.height}, seed ${job.seed}, ${bytesText(bytes.length)}`);
  } catch (error) {
    if (!signal.aborted) throw error;
    note('\ninterrupted; nothing was written');
    process.exitCode = EXIT.interrupted;
  }
}

/** @throws UserError if the bundle is damaged, or the device is missing or has too little memory; the signal's reason */
async function paint(
  job: Job,
  bundle: Bundle,
  captions: RequestCaptions,
  options: RendererOptions & { signal: AbortSignal },
): Promise<{ image: PaintedImage; bytes: Uint8Array }> {
  const renderer = withLessMemory(await startRenderer(options), bundle.description, (rung) =>
    note(`\nout of memory; continuing ${thriftText(rung)}`),
  );
  const display = stepDisplay(job.steps);
  try {
    const { signal } = options;
    const image = await renderer.render(job, captions, { signal, onStep: (step) => display.show(step) });
    display.end();
    return { image, bytes: await encodeImage(image, { job, bundle: renderer.bundle }) };
  } catch (error) {
    throw error instanceof TooLittleMemory ? new UserError(error.message) : error;
  } finally {
    display.end();
    await renderer.close();
  }
}

/** @throws UserError that names the wrong options */
async function onlyJob(
  row: RowOptions,
  forAll: { format: ImageFormat; quality: number | null; decode: 'whole' | undefined },
  bundle: BundleRef,
): Promise<Job> {
  const plan = planCatalog([Buffer.from(JSON.stringify(byColumn(row)))], {
    file: 'command line',
    format: 'jsonl',
    columns: {},
    defaults: { size: row.size ?? bundle.sizes[0]!, ...forAll },
    bundle,
    pipelineVersion: PIPELINE_VERSION,
    obstacle: metadataLimit(bundle),
  });
  const { shards } = await plan.catch((error) => {
    throw error instanceof CatalogError ? new UserError(error.problems.map(optionProblem).join('\n')) : error;
  });
  return shards[0]!.jobs[0]!;
}

const optionProblem = ({ column, expected, found }: Problem): string =>
  `${column === 'prompt' || column === null ? 'prompt' : `--${column.replaceAll('_', '-')}`}: expected ${expected}, found ${found}`;

function formatOf({ out }: RenderOptions, model: Model | null): ImageFormat {
  const file = out ?? model?.file;
  if (file === undefined) return 'png';
  const ending = extname(file).slice(1).toLowerCase();
  const format = IMAGE_FORMATS.find((name) => name === ending || extension(name) === ending);
  if (format !== undefined) return format;
  throw new UserError(
    `--out ${file}: expected a name that ends in ${IMAGE_FORMATS.map((name) => `.${name}`).join(', ')}`,
  );
}

/** `1234567-a-glossy-apple.png` */
function defaultName({ prompt, seed, format }: Job): string {
  const words = prompt.toLowerCase().match(/[\p{Letter}\p{Number}]+/gu) ?? [];
  return `${[String(seed), ...words.slice(0, 6)].join('-').slice(0, 80)}.${extension(format)}`;
}
