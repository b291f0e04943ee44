import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { UserError } from '../../domain/user-error.ts';
import { type Bundle, bundleFile } from './bundle.ts';
import { type BundlePart, type GraphFile, graphsOf, partFiles } from './bundle-parts.ts';
import { type ExternalData, externalData } from './external-data.ts';
import { WireError } from './wire-reader.ts';

/**
 * Checks size and SHA-256 of every file that the bundle lists, in streams, so that no file has to fit into memory; and
 * that its graphs load nothing that it does not list, so that its digest stands for all of its bytes.
 *
 * @throws UserError that names every file that is missing, differs or is not listed, with what was expected and found.
 */
export async function verifyBundle(bundle: Bundle): Promise<void> {
  await checkFiles(bundle, Object.keys(bundle.description.files));
  refuseOthers(bundle, graphsOf(bundle.description));
}

/**
 * The same for all that one part of the pipeline loads. Files of the other parts need not be there.
 *
 * @throws UserError
 */
export async function verifyPart(bundle: Bundle, part: BundlePart): Promise<void> {
  const files = partFiles(bundle.description, part);
  await checkFiles(bundle, files);
  const graphs = graphsOf(bundle.description, part);
  refuseOthers(bundle, graphs);
  const loaded = graphs.flatMap((graph) => externalData(bundleFile(bundle, graph)));
  const elsewhere = new Set(loaded.map(({ location }) => location).filter((location) => !files.includes(location)));
  // Captions are stored under a digest of the encoder's own files.
  if (part === 'encoder') {
    const foreign = [...elsewhere].map(
      (location) => `  ${location}: the text encoder loads it, but it is listed for another graph`,
    );
    refuse(
      bundle,
      'has a text encoder whose captions cannot be stored',
      foreign,
      'Export the checkpoint again (docs/exporting.md).',
    );
  }
  await checkFiles(bundle, [...elsewhere]);
}

async function checkFiles(bundle: Bundle, names: string[]): Promise<void> {
  const problems: string[] = [];
  for (const name of names) {
    const problem = await findProblem(bundleFile(bundle, name), bundle.description.files[name]!);
    if (problem) problems.push(`  ${name}: ${problem}`);
  }
  refuse(
    bundle,
    'is damaged',
    problems,
    'Copy these files from where the bundle came from, or export the bundle again.',
  );
}

function refuseOthers(bundle: Bundle, graphs: readonly GraphFile[]): void {
  const others = graphs.flatMap((graph) => dataProblems(bundle, graph).map((problem) => `  ${graph}: ${problem}`));
  refuse(bundle, 'does not match its list of files', others, 'Export the checkpoint again (docs/exporting.md).');
}

function refuse({ description, folder }: Bundle, how: string, problems: string[], advice: string): void {
  if (problems.length === 0) return;
  throw new UserError([`bundle ${description.name} in ${folder} ${how}:`, ...problems, advice].join('\n'));
}

async function findProblem(file: string, expected: { sha256: string; bytes: number }): Promise<string | null> {
  const found = await stat(file).catch(() => null);
  if (!found?.isFile()) return 'expected a file, found none';
  if (found.size !== expected.bytes) return `expected ${expected.bytes} bytes, found ${found.size}`;
  const digest = await sha256(file);
  return digest === expected.sha256 ? null : `expected SHA-256 ${expected.sha256}, found ${digest}`;
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

function dataProblems(bundle: Bundle, graph: string): string[] {
  const { files } = bundle.description;
  try {
    const problems = externalData(bundleFile(bundle, graph)).flatMap((data) => {
      const problem = Object.hasOwn(files, data.location)
        ? rangeProblem(data, files[data.location]!.bytes)
        : 'which bundle.json does not list';
      return problem === null ? [] : [`it loads ${JSON.stringify(data.location)}, ${problem}`];
    });
    return [...new Set(problems)];
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return [`expected an ONNX graph, but ${error.message}`];
  }
}

function rangeProblem({ offset = '0', length = '0' }: ExternalData, bytes: number): string | null {
  if (/^\d+$/.test(offset) && /^\d+$/.test(length) && Number(offset) + Number(length) <= bytes) return null;
  return `${length} bytes from ${offset} on, but it has ${bytes}`;
}
