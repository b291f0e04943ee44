import { spawnSync } from 'node:child_process';
import { cp } from 'node:fs/promises';
import path from 'node:path';
import { InferenceSession } from '../../models/pixart/onnxruntime.ts';
import { ROOT } from '../bench/real-bundle.ts';

/**
 * A copy of a bundle whose graphs for CUDA run on a processor.
 *
 * @throws Error if they cannot be rewritten
 */
export async function withDefinedOperators(bundle: string): Promise<string> {
  const copy = `${bundle}-defined`;
  await cp(bundle, copy, { recursive: true });
  const script = path.join(ROOT, 'benchmarks/cuda-numerics/define.py');
  const { status } = spawnSync(path.join(ROOT, 'models/python.sh'), [script, copy], { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`define.py exited with code ${status}`);
  return copy;
}

/** Has ONNX Runtime open whatever is meant for a card on the processor, for the rest of this process. */
export function openCardsOnProcessor(): void {
  const create = InferenceSession.create.bind(InferenceSession);
  const onProcessor = (file: string, options: object): Promise<InferenceSession> => {
    // Unoptimised: the roundings to float16 between nodes are what is measured.
    const own = file.endsWith('.cuda.onnx') ? { graphOptimizationLevel: 'disabled' as const } : {};
    return create(file, { ...options, executionProviders: ['cpu'], ...own });
  };
  Object.assign(InferenceSession, { create: onProcessor });
}
