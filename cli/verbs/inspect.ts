import { Command } from 'commander';
import { mayHaveCredential } from '../../credentials/has-credential.ts';
import type { Credential } from '../../credentials/read-credential.ts';
import { byColumn } from '../../domain/parameters.ts';
import type { ImageMetadata } from '../../images/index.ts';
import { printJson, printLine, table } from '../display/output.ts';
import { type JsonOptions, jsonOption } from '../options/common-options.ts';
import { imageFile, originIn } from './render/image-origin.ts';

const examples = `
Examples:
  $ npx pixart-batch inspect out/batches/spring/fox.png
  $ npx pixart-batch inspect out/batches/spring/*.png --json
  $ npx pixart-batch render --like out/batches/spring/fox.png --out again.png
`;

export const inspectCommand = (): Command =>
  new Command('inspect')
    .argument('<images...>', 'image files made by pixart-batch')
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(inspect);

async function inspect(files: string[], { json }: JsonOptions): Promise<void> {
  for (const file of files) {
    const bytes = await imageFile(file);
    const origin = await originIn(bytes, file);
    const credential = await credentialIn(bytes);
    if (json) printJson({ file, ...origin, ...(credential !== null && { credential }) });
    else printLine(describe(file, origin, credential));
  }
}

/** The library is loaded only for a file that may have a credential. */
async function credentialIn(bytes: Uint8Array): Promise<Credential | null> {
  if (!mayHaveCredential(bytes)) return null;
  const { readCredential } = await import('../../credentials/read-credential.ts');
  return readCredential(bytes);
}

const describe = (file: string, origin: ImageMetadata, credential: Credential | null): string =>
  [
    file,
    table([
      ...parametersOf(origin).map(([name, value]) => [`  ${name}`, value]),
      ...(origin.decode === undefined ? [] : [['  decoded', 'whole']]),
      ...(origin.tileLatents === undefined
        ? []
        : [['  decoded', `in tiles of ${origin.tileLatents} latents, for lack of memory`]]),
      ...(origin.quality === undefined ? [] : [['  quality', String(origin.quality)]]),
      ['  bundle', `${origin.bundleName}, digest ${origin.bundleDigest}`],
      ['  render key', origin.renderKey],
      ['  software', origin.software],
      ...(credential === null ? [] : credentialRows(credential)),
    ]),
  ].join('\n');

/** By their columns, except that width and height are shown with the size. */
function parametersOf(origin: ImageMetadata): [string, string][] {
  const { width, height, ...others } = byColumn(origin);
  const size = `${origin.size}: ${width}×${height}, sampled at ${origin.binWidth}×${origin.binHeight}`;
  return Object.entries({ ...others, size })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name.replaceAll('_', ' '), String(value) || 'none']);
}

function credentialRows({ fault, signedBy, generator, statement }: Credential): string[][] {
  const state =
    fault === null
      ? `by ${generator}, unchanged since it was signed by ${signedBy}; whether to trust the signer is up to the reader's trust list`
      : `NOT as it was signed (${fault}) by ${signedBy}`;
  if (statement === null) return [['  credential', state]];
  const { model, prompt } = statement;
  const told = `model ${model.name}, license ${model.license}, ${prompt === undefined ? 'no prompt' : 'the prompt'}`;
  return [
    ['  credential', state],
    ['  it states', told],
  ];
}
