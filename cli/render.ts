import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import { Command, Option } from 'commander';
import { IMAGE_FORMATS, type ImageFormat, type Job } from '../catalog/job.ts';
import { planCatalog } from '../catalog/plan-catalog.ts';
import { CatalogError, type Problem } from '../catalog/problems.ts';
import { SIZES, type Size } from '../catalog/size.ts';
import { UserError } from '../catalog/user-error.ts';
import { encodeImage } from '../images/index.ts';
import { type BundleRef, bundleRef, PIPELINE_VERSION } from '../models/pixart/index.ts';
import { startRenderer } from '../models/renderer/index.ts';
import { extension } from '../store/index.ts';
import { renderConfig } from '../workers/render-config.ts';
import { chosenBundle } from './chosen-bundle.ts';
import { EXIT } from './exit-codes.ts';
import { interruption } from './interruption.ts';
import { bundleOption, deviceOption, type JsonOptions, jsonOption, qualityOption, threadsOption } from './options.ts';
import { bytesText, note, printJson, printLine } from './output.ts';
import { stepDisplay } from './progress-display.ts';

/** The columns of a catalog, as options; a plan of one row checks them. */
type RowOptions = {
  negativePrompt?: string;
  size?: Size;
  aspect?: string;
  width?: string;
  height?: string;
  seed?: string;
  steps?: string;
  guidance?: string;
};

type RenderOptions = RowOptions &
  JsonOptions & { bundle?: string; device: string; threads?: number; quality?: number; out?: string; force?: true };

const examples = `
The same prompt and options give the same image as a row of a catalog.

Examples:
  $ npx pixart-batch render "a glossy apple on a green background"
  $ npx pixart-batch render "a flat rocket on a navy background" --size 512 --aspect 3:4 --seed 7 --out rocket.webp
`;

export const renderCommand = (): Command =>
  new Command('render')
    .description('make one image here and now; no Temporal needed')
    .argument('<prompt>')
    .option('--out <file>', 'its ending chooses the format; otherwise <seed and prompt>.png here')
    .option('--force', 'replace the file if there is one')
    .option('--negative-prompt <text>', 'what not to show')
    .addOption(new Option('--size <size>', 'otherwise the smallest of the bundle').choices(SIZES))
    .option('--aspect <w:h>', 'such as 16:9')
    .option('--width <pixels>', 'with --height; the image is cropped to exactly this')
    .option('--height <pixels>')
    .option('--seed <number>', 'otherwise derived from the prompt')
    .option('--steps <number>')
    .option('--guidance <number>', '1 turns it off')
    .addOption(qualityOption())
    .addOption(bundleOption())
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(render);

async function render(prompt: string, options: RenderOptions): Promise<void> {
  const bundle = await chosenBundle(options.bundle);
  const job = await onlyJob(prompt, options, bundleRef(bundle));
  const file = options.out ?? defaultName(job);
  if (existsSync(file) && !options.force) throw alreadyThere(file);
  const { device, threads } = renderConfig({
    bundle: bundle.folder,
    device: options.device,
    sizes: [],
    graceSeconds: 0,
    ...(options.threads === undefined ? {} : { threads: options.threads }),
  });

  const signal = interruption();
  note(`loading bundle ${bundle.description.name} …`);
  const renderer = await startRenderer({ bundleFolder: bundle.folder, device, threads });
  const display = stepDisplay(job.steps);
  try {
    const image = await renderer.render(job, { signal, onStep: (step) => display.show(step) });
    display.end();
    const bytes = await encodeImage(image, { job, bundle: renderer.bundle });
    await save(file, bytes, options.force === true);
    if (image.promptTruncated) note(`the prompt has ${image.promptTokens} tokens; the model did not see its end`);
    if (options.json) return printJson({ file, bytes: bytes.length, ...job, timings: image.timings });
    printLine(`${file}: ${job.width}×${job.height}, seed ${job.seed}, ${bytesText(bytes.length)}`);
  } catch (error) {
    if (!signal.aborted) throw error;
    note('\ninterrupted; nothing was written');
    process.exitCode = EXIT.interrupted;
  } finally {
    display.end();
    await renderer.close();
  }
}

/** @throws UserError that names the options that are wrong */
async function onlyJob(prompt: string, options: RenderOptions, bundle: BundleRef): Promise<Job> {
  const { negativePrompt, size, aspect, width, height, seed, steps, guidance, quality, out } = options;
  const row = { prompt, negative_prompt: negativePrompt, size, aspect, width, height, seed, steps, guidance };
  const format = out === undefined ? 'png' : formatOf(out);
  const plan = planCatalog([Buffer.from(JSON.stringify(row))], {
    file: 'command line',
    format: 'jsonl',
    columns: {},
    defaults: { size: size ?? bundle.sizes[0]!, format, quality: quality ?? (format === 'png' ? null : 90) },
    bundle,
    pipelineVersion: PIPELINE_VERSION,
  });
  const { shards } = await plan.catch((error) => {
    throw error instanceof CatalogError ? new UserError(error.problems.map(optionProblem).join('\n')) : error;
  });
  return shards[0]!.jobs[0]!;
}

const optionProblem = ({ column, expected, found }: Problem): string =>
  `${column === 'prompt' || column === null ? 'prompt' : `--${column.replaceAll('_', '-')}`}: expected ${expected}, found ${found}`;

function formatOf(file: string): ImageFormat {
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

const alreadyThere = (file: string): UserError =>
  new UserError(`${file} is there already: choose another name with --out, or --force to replace it`);

async function save(file: string, bytes: Uint8Array, force: boolean): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  try {
    await writeFile(file, bytes, { flag: force ? 'w' : 'wx' });
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'EEXIST' ? alreadyThere(file) : error;
  }
}
