import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { type FileHandle, open, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { randomNormal } from '../../models/pixart/noise.ts';
import { encodeFloats, FLOAT_TYPES, floatBytes } from './floats.ts';

/** The file that strip.py writes in place of a bundle's weights. */
export const RECIPE_FILE = 'weights.json';

/** A tensor in a file of weights: where it is, and how its numbers are distributed. */
const tensorSchema = z.strictObject({
  offset: z.int().min(0),
  elements: z.int().positive(),
  type: z.enum(FLOAT_TYPES),
  mean: z.number(),
  deviation: z.number().min(0),
});

type TensorRecipe = z.infer<typeof tensorSchema>;

const recipeSchema = z.record(z.string(), z.array(tensorSchema));

/** A prime, so that rows differ in a matrix that repeats these numbers. */
const POOL = 2 ** 20 + 7;
/** Larger tensors share encoded numbers with others of the same distribution. */
const SHARED = 2 ** 16;

type Description = { files: Record<string, { sha256: string; bytes: number }> };

/**
 * Creates the files of weights that a stripped bundle lacks, and records their digests in bundle.json. Does nothing to
 * any other bundle. The numbers are random but always the same, and as large as the real ones, so that nothing overflows.
 *
 * @param isWanted whether a file is needed: parts that are not loaded need none
 * @returns the names of the files that were made
 */
export async function makeWeights(folder: string, isWanted: (file: string) => boolean): Promise<string[]> {
  const recipeFile = path.join(folder, RECIPE_FILE);
  if (!existsSync(recipeFile)) return [];
  const recipe = recipeSchema.parse(JSON.parse(await readFile(recipeFile, 'utf8')));
  const missing = Object.keys(recipe).filter((file) => isWanted(file) && !existsSync(path.join(folder, file)));
  if (missing.length === 0) return [];
  const pool = randomNormal(POOL, 0);
  const described = path.join(folder, 'bundle.json');
  for (const file of missing) {
    const unfinished = path.join(folder, `.${file}.unfinished`);
    const made = await writeWeights(unfinished, recipe[file]!, pool);
    const description = JSON.parse(await readFile(described, 'utf8')) as Description;
    description.files[file] = made;
    await writeFile(`${described}.unfinished`, JSON.stringify(description, null, 2));
    await rename(`${described}.unfinished`, described);
    // Last: if this is interrupted earlier, the file is made again, with the same digest.
    await rename(unfinished, path.join(folder, file));
  }
  return missing;
}

async function writeWeights(file: string, tensors: readonly TensorRecipe[], pool: Float32Array) {
  const handle = await open(file, 'w');
  const hash = createHash('sha256');
  const shared = new Map<string, Buffer>();
  let bytes = 0;
  const write = async (data: Buffer): Promise<void> => {
    hash.update(data);
    await writeWhole(handle, data);
    bytes += data.length;
  };
  try {
    for (const [at, tensor] of tensors.entries()) {
      if (tensor.offset < bytes) throw new Error(`${file}: expected tensors in the order of their offsets`);
      await write(Buffer.alloc(tensor.offset - bytes));
      for (const part of numbersOf(tensor, at, { pool, shared })) await write(part);
    }
  } finally {
    await handle.close();
  }
  return { sha256: hash.digest('hex'), bytes };
}

async function writeWhole(handle: FileHandle, data: Buffer): Promise<void> {
  for (let done = 0; done < data.length; ) done += (await handle.write(data, done)).bytesWritten;
}

/** A tensor's bytes, in parts. Each tensor begins elsewhere in the pool. */
function* numbersOf(
  { elements, type, mean, deviation }: TensorRecipe,
  at: number,
  { pool, shared }: { pool: Float32Array; shared: Map<string, Buffer> },
): Generator<Buffer> {
  const start = (at * 65_537) % pool.length;
  const spread = (numbers: Float32Array): Buffer =>
    encodeFloats(
      numbers.map((number) => mean + deviation * number),
      type,
    );
  if (elements < SHARED && start + elements <= pool.length) {
    yield spread(pool.subarray(start, start + elements));
    return;
  }
  const key = `${type} ${mean} ${deviation}`;
  const encoded = shared.get(key) ?? spread(pool);
  shared.set(key, encoded);
  let left = elements * floatBytes(type);
  for (let from = start * floatBytes(type); left > 0; from = 0) {
    const part = encoded.subarray(from, from + left);
    yield part;
    left -= part.length;
  }
}
