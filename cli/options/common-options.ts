import { type Command, InvalidArgumentError, Option } from 'commander';
import { SIZES, type Size } from '../../domain/size.ts';
import { UserError } from '../../domain/user-error.ts';
import { notEmpty, wholeNumber } from './values.ts';

export type JsonOptions = { json?: true };

export const jsonOption = (): Option => new Option('--json', 'print JSON, for programs');

export type ServerOptions = { address?: string; namespace?: string };

export const addServerOptions = (
  command: Command,
  usual = 'the server of a "dev" in this folder, then 127.0.0.1:7233',
): Command =>
  command
    .option('--address <host:port>', `address of the Temporal server; default: TEMPORAL_ADDRESS, then ${usual}`)
    .option('--namespace <name>', 'namespace on that server; default: TEMPORAL_NAMESPACE, then "default"');

export const storeOption = (what = 'where results go: a folder or gs://bucket/prefix'): Option =>
  new Option('--store <url>', what)
    .env('PIXART_STORE')
    .default('out')
    .argParser(notEmpty('a folder or gs://bucket/prefix'));

/** Read by the store, so it applies to every bucket that this process and its child processes use. */
export const USER_PROJECT = 'PIXART_USER_PROJECT';

export const userProjectOption = (): Option =>
  new Option('--user-project <project>', 'project to bill for requester-pays buckets')
    .env(USER_PROJECT)
    .argParser(notEmpty('the id of a project'));

export const scratchOption = (): Option =>
  new Option(
    '--scratch <url>',
    'where checkpoints of long images are stored: a folder or gs://bucket/prefix; default: the store',
  )
    .env('PIXART_SCRATCH')
    .argParser(notEmpty('a folder or gs://bucket/prefix'));

export type SigningOptions = { signWith?: string; signAs?: string };

/** Not PIXART_SIGN_KEY: the value of such a variable counts as a secret, and is removed from messages. */
export const signWithOption = (what = 'key to sign with if a batch asks for it'): Option =>
  new Option('--sign-with <key>', `${what}: a private key file, or gcp-kms://projects/…`)
    .env('PIXART_SIGN_WITH')
    .argParser(notEmpty('a file, or gcp-kms:// and the name of a key version'));

export const signAsOption = (): Option =>
  new Option('--sign-as <file>', "the key's certificate chain, in PEM")
    .env('PIXART_SIGN_AS')
    .argParser(notEmpty('a file'));

/** @throws UserError if only one of the two is given */
export function signingOf({ signWith: key, signAs: certificates }: SigningOptions) {
  if (key === undefined && certificates === undefined) return undefined;
  if (key !== undefined && certificates !== undefined) return { key, certificates };
  const [given, missing] = key === undefined ? ['--sign-as', '--sign-with'] : ['--sign-with', '--sign-as'];
  throw new UserError(
    `${given}: expected ${missing} as well, found none; a signature needs a key and its certificates`,
  );
}

export const bundleOption = (): Option =>
  new Option('--bundle <name or folder>', 'model to use: an installed bundle, or the path to one')
    .env('PIXART_BUNDLE')
    .argParser(notEmpty('an installed bundle, or the path to one'));

export const sizesOption = (what: string): Option =>
  new Option('--size <size>', `${what}; repeatable`)
    .choices(SIZES)
    .argParser((size: string, sizes: Size[] | undefined) => [...(sizes ?? []), knownSize(size)]);

function knownSize(text: string): Size {
  const size = SIZES.find((known) => known === text);
  if (size === undefined) throw new InvalidArgumentError(`Expected one of ${SIZES.join(', ')}.`);
  return size;
}

export const deviceOption = (): Option =>
  new Option('--device <device>', 'cpu or cuda:<n>').env('PIXART_DEVICE').default('cpu').argParser(device);

function device(text: string): string {
  if (/^(cpu|cuda:\d+)$/.test(text)) return text;
  throw new InvalidArgumentError('Expected cpu or cuda:<n>.');
}

export const threadsOption = (
  what = 'CPU threads per renderer process; without this and --children, the fastest setting is measured once',
): Option => new Option('--threads <n>', what).argParser(wholeNumber(1, 1024));

export const childrenOption = (): Option =>
  new Option('--children <n>', 'renderer processes, each rendering --micro-batch images at a time').argParser(
    wholeNumber(1, 256),
  );

export type MicroBatchOption = { microBatch?: number | 'auto' };

export const microBatchOption = (): Option =>
  new Option(
    '--micro-batch <n|auto>',
    'images of the same shape that share each denoising step; auto measures which number is fastest; default: 1 on a CPU, auto on a GPU',
  ).argParser((text: string) => (text === 'auto' ? text : wholeNumber(1, 64, 'auto or ')(text)));

const USUAL_STATE = '.pixart';

/** The state folder of a `dev` that was started in this folder. */
export const stateFolder = (): string => process.env.PIXART_STATE || USUAL_STATE;

export const stateOption = (): Option =>
  new Option('--state <folder>', "folder for the server's database file and the logs")
    .env('PIXART_STATE')
    .default(USUAL_STATE)
    .argParser(notEmpty('a folder'));
