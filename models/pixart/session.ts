import { InferenceSession, type Tensor } from 'onnxruntime-node';
import { UserError } from '../../catalog/user-error.ts';
import { type Bundle, bundleFile, type GraphFile } from './bundle.ts';
import type { Device } from './render-request.ts';

export type SessionOptions = { device: Device; threads?: number | undefined };

/** A network: named tensors in, its one output out. */
export type Graph = {
  run(inputs: Record<string, Tensor>): Promise<Float32Array>;
  release(): Promise<void>;
};

/**
 * Loads one of the bundle's graphs.
 *
 * @throws UserError where the device cannot be used or the graph cannot be loaded.
 */
export async function openGraph(bundle: Bundle, file: GraphFile, options: SessionOptions): Promise<Graph> {
  const session = await createSession(bundleFile(bundle, file), options);
  const [output] = session.outputNames;
  if (output === undefined) throw new UserError(`${file} of bundle ${bundle.description.name} has no output`);
  return {
    run: async (inputs) => (await session.run(inputs))[output]!.data as Float32Array,
    release: () => session.release(),
  };
}

async function createSession(file: string, { device, threads }: SessionOptions): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(file, {
      executionProviders: [device === 'cpu' ? 'cpu' : { name: 'cuda', deviceId: Number(device.slice('cuda:'.length)) }],
      graphOptimizationLevel: 'all',
      // Threads that wait in a loop are faster alone, but starve the other renderers of the same machine.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
      ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    });
  } catch (error) {
    throw new UserError(`${file} cannot be loaded on ${device}: ${(error as Error).message}${hint(device)}`);
  }
}

const hint = (device: Device): string =>
  device === 'cpu' ? '' : '\nWhere a CUDA library is missing: docs/guide.md, "GPUs", has the command that installs it.';
