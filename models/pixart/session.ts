import { UserError } from '../../domain/user-error.ts';
import { type Bundle, bundleFile } from './bundle.ts';
import type { GraphFile } from './bundle-parts.ts';
import { InferenceSession, type Tensor } from './onnxruntime.ts';
import type { Device } from './render-request.ts';

export type SessionOptions = {
  device: Device;
  threads?: number | undefined;
  /** Awaited before each run, which blocks this thread: for what has to leave the process first. */
  beforeRun?: (() => Promise<unknown>) | undefined;
};

/**
 * A network: named tensors in, one of its outputs out, which is the first where none is named.
 *
 * @throws UserError where the graph does not take what the bundle's description makes of it
 */
export type Graph = {
  run(inputs: Record<string, Tensor>, output?: string): Promise<Float32Array>;
  release(): Promise<void>;
};

/**
 * Loads one of the bundle's graphs.
 *
 * @throws UserError where the device cannot be used or the graph cannot be loaded.
 * @throws DeviceFull where there is no memory for it just now.
 */
export async function openGraph(bundle: Bundle, file: GraphFile, options: SessionOptions): Promise<Graph> {
  const { outputs, run, release } = await openNetwork(bundle, file, options);
  const [first] = outputs;
  if (first === undefined) throw new UserError(`${file} of bundle ${bundle.description.name} has no output`);
  return {
    run: async (inputs, output = first) => (await run(inputs, [output]))[output]!.data as Float32Array,
    release,
  };
}

/** A network of which several outputs are asked for at once, of whatever type. */
export type Network = {
  outputs: readonly string[];
  /** @throws UserError as a graph's */
  run(inputs: Record<string, Tensor>, outputs: readonly string[]): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
};

/** The same as `openGraph`. */
export async function openNetwork(bundle: Bundle, file: GraphFile, options: SessionOptions): Promise<Network> {
  const session = await createSession(bundleFile(bundle, file), options);
  return {
    outputs: session.outputNames,
    run: async (inputs, outputs) => {
      await options.beforeRun?.();
      try {
        return await session.run(inputs, outputs);
      } catch (error) {
        throw MISFIT.test((error as Error).message) ? misfit(bundle, file, (error as Error).message) : error;
      }
    },
    release: () => session.release(),
  };
}

/**
 * What ONNX Runtime says where a graph has other inputs, and other shapes of them, than it is given: version 1.30. The last
 * comes from inside a graph whose inputs have free dimensions.
 */
const MISFIT =
  /^Got invalid dimensions for input|^Invalid rank for input|^Unexpected input data type|' is missing in 'feeds'|out of data bounds|Attempting to broadcast/m;

/** Why a bundle cannot be rendered with whose graph is not the one that its description describes. */
const misfit = ({ description, folder }: Bundle, file: GraphFile, what: string): UserError =>
  new UserError(
    `${file} of bundle ${description.name} in ${folder} is not the graph that bundle.json or tokenizer.json describe: ${what.trim()}\n` +
      'If they were edited, undo that; otherwise export the checkpoint again (docs/exporting.md).',
  );

async function createSession(file: string, { device, threads }: SessionOptions): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(file, {
      executionProviders: [device === 'cpu' ? 'cpu' : { name: 'cuda', deviceId: Number(device.slice('cuda:'.length)) }],
      graphOptimizationLevel: 'all',
      // Errors only: with every graph that it loads, CUDA's side warns of operators that it leaves to the processor.
      logSeverityLevel: 3,
      // A pattern is a second block beside the arena's, of the size of all activations (docs/decisions/102).
      enableMemPattern: false,
      // Threads that wait in a loop are faster alone, but starve the other renderers of the same machine.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
      ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    });
  } catch (error) {
    throw loadError(file, device, (error as Error).message);
  }
}

/** The device's memory is taken, by a process that may end soon: a dying renderer, or another program. */
class DeviceFull extends Error {
  override readonly name = 'DeviceFull';
}

/** ONNX Runtime has no error code for it: what its arena, CUDA, cuBLAS, cuDNN, C++ and V8 say when memory runs out. */
const NO_MEMORY = /failed to allocate|out of memory|ALLOC_FAILED|bad_alloc|array buffer allocation failed/i;

export const saysNoMemory = (said: string): boolean => NO_MEMORY.test(said);

/** Converts the runtime's message into the caller's error. */
export function loadError(file: string, device: Device, said: string): UserError | DeviceFull {
  const where = `${file} cannot be loaded on ${device}`;
  if (!saysNoMemory(said)) return new UserError(`${where}: ${said}${hint(device)}`);
  return new DeviceFull(`${where} for lack of memory: ${said}\nFree some memory, or use a smaller bundle.`);
}

const hint = (device: Device): string =>
  device === 'cpu'
    ? ''
    : '\nIf a CUDA library is missing, ONNX Runtime names it in a line above; docs/guide.md, "GPUs", explains how to install it.';
