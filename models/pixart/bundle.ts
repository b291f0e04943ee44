import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { BundleRef } from '../../domain/bundle-ref.ts';
import { MOST_GUIDANCE } from '../../domain/parameters.ts';
import { sizeSchema } from '../../domain/size.ts';
import { UserError } from '../../domain/user-error.ts';
import { CUDA_GRAPHS, encoderDigest, GRAPHS } from './bundle-parts.ts';
import { mostSteps, type SchedulerConfig, samplerName, schedulerSchema } from './samplers/scheduler-config.ts';

const REQUIRED_FILES = ['tokenizer.json', ...GRAPHS];

const fileName = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._-]*$/, 'a plain file name, without folders');

/** Where positions of a size count from 0 to `sampleSize / patch`, divided by the scale: see position-embedding.ts. */
const sizeEntrySchema = z.strictObject({
  sampleSize: z.int().positive(),
  interpolationScale: z.number().positive(),
});

const weightKindSchema = z.enum(['fp32', 'fp16', 'bf16', 'int8', 'int4']);

export type WeightKind = z.infer<typeof weightKindSchema>;

/** How a network's weights are stored, and the relative error of its outputs against torch in float32. */
const precisionSchema = z.strictObject({
  weights: weightKindSchema,
  error: z.number().min(0),
});

/** A field that earlier exporters wrote and nothing reads: accepted, since bundles are identified by the digest of this file. */
const unread = <T extends z.ZodType>(field: T) => field.optional();

/** A graph for CUDA: its relative error against torch in float32, and how close it is to the graph for the CPU, in dB. */
const cudaGraphSchema = z.strictObject({ error: z.number().min(0), psnr: z.number() }).optional();

const NAME = 'letters, digits, ".", "_" and "-", at most 100';

/**
 * `bundle.json`, as docs/bundle-format.md describes it. The exporter reads what it asks for in
 * models/export/bundle.schema.json.
 */
export const bundleDescriptionSchema = z
  .strictObject({
    format: z.literal(2, {
      error: ({ input }) => `expected 2, found ${input}: export the checkpoint again (docs/exporting.md)`,
    }),
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, NAME)
      .describe(NAME),
    description: z.string(),
    license: z.string(),
    source: z.string(),
    sizes: z.partialRecord(sizeSchema, sizeEntrySchema).refine((sizes) => Object.keys(sizes).length > 0, {
      error: 'at least one size',
    }),
    tokenizer: z.strictObject({
      maxTokens: z.int().min(2),
      padTokenId: unread(z.int().min(0)),
      eosTokenId: z.int().min(0),
      cleanCaption: z.boolean(),
      /** Present if an added token matches whole words only; earlier exporters' readers also found such tokens inside words. */
      singleWord: z.literal(true).optional(),
    }),
    textEncoder: unread(z.strictObject({ width: z.int().positive() })),
    transformer: z.strictObject({
      layers: unread(z.int().positive()),
      heads: z.int().positive(),
      headWidth: z.int().positive(),
      patch: z.int().positive(),
      latentChannels: z.int().positive(),
      kvCompression: unread(
        z
          .strictObject({ layers: z.array(z.int().min(0)), scale: z.int().min(2), sampling: z.literal('conv') })
          .nullable(),
      ),
    }),
    vae: z.strictObject({
      factor: z.int().positive(),
      scaling: z.number().positive(),
      /** Earlier exporters wrote it. Any other value was added to latents, which diffusers does not do. */
      shift: z
        .literal(0, {
          error: ({ input }) => `expected 0, found ${input}: export the checkpoint again (docs/exporting.md)`,
        })
        .optional(),
      /** Group norms of the decoder, and the groups of each; none where the decoder's graph takes latents only. */
      norms: z.int().min(0),
      groups: z.int().min(0),
      /** Latents of the largest picture that is decoded in one piece; where nothing is said, those of 1024 px. */
      onePiece: z.int().positive().optional(),
    }),
    scheduler: schedulerSchema,
    /** Bundles of earlier exporters say nothing. */
    precision: z
      .strictObject({ textEncoder: precisionSchema, transformer: precisionSchema, vae: precisionSchema })
      .optional(),
    /** Which networks have a graph for CUDA too. */
    cuda: z
      .strictObject({ textEncoder: cudaGraphSchema, transformer: cudaGraphSchema, vae: cudaGraphSchema })
      .optional(),
    defaults: z.strictObject({ steps: z.int().positive(), guidance: z.number().min(1).max(MOST_GUIDANCE) }),
    files: z
      .record(
        fileName,
        z.strictObject({
          sha256: z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in hexadecimal'),
          bytes: z.int().min(0),
        }),
      )
      .superRefine((files, context) => {
        for (const name of REQUIRED_FILES) {
          if (!Object.hasOwn(files, name)) context.addIssue({ code: 'custom', message: `${name} is not listed` });
        }
      }),
  })
  .superRefine(checkDefaultSteps)
  .superRefine(checkCudaGraphs);

export type BundleDescription = z.infer<typeof bundleDescriptionSchema>;

/** A bundle whose description has been read and validated; its files are checked by `verifyBundle`. */
export type Bundle = {
  folder: string;
  /** SHA-256 of the bytes of `bundle.json`, which lists the digests of all other files. */
  digest: string;
  description: BundleDescription;
};

/**
 * Reads and validates a bundle's `bundle.json`. Opens no other file.
 *
 * @throws UserError where the file is missing, is not JSON or is not a valid description.
 */
export async function openBundle(folder: string): Promise<Bundle> {
  const file = path.join(folder, 'bundle.json');
  const bytes = await readDescription(file);
  const parsed = bundleDescriptionSchema.safeParse(parseJson(file, bytes));
  if (!parsed.success) throw new UserError(`${file} is not a valid description:\n${z.prettifyError(parsed.error)}`);
  return {
    folder: path.resolve(folder),
    digest: createHash('sha256').update(bytes).digest('hex'),
    description: parsed.data,
  };
}

export const bundleRef = ({ digest, description }: Bundle): BundleRef => ({
  name: description.name,
  digest,
  sizes: sizeSchema.options.filter((size) => description.sizes[size] !== undefined),
  defaults: description.defaults,
  maxSteps: mostSteps(description.scheduler),
  encoder: encoderDigest(description),
});

/** The path of a file that the bundle lists; asking for another is a fault of the program. */
export function bundleFile({ folder, description }: Bundle, name: string): string {
  if (!Object.hasOwn(description.files, name)) throw new Error(`${name} is not listed in bundle ${description.name}`);
  return path.join(folder, name);
}

function checkDefaultSteps(
  { scheduler, defaults }: { scheduler: SchedulerConfig; defaults: { steps: number } },
  context: z.RefinementCtx,
): void {
  const most = mostSteps(scheduler);
  if (defaults.steps <= most) return;
  context.addIssue({
    code: 'custom',
    path: ['defaults', 'steps'],
    message: `expected at most ${most}, the most that sampler ${samplerName(scheduler)} supports, found ${defaults.steps}`,
  });
}

function checkCudaGraphs(
  {
    cuda = {},
    files,
  }: { cuda?: Partial<Record<keyof typeof CUDA_GRAPHS, unknown>> | undefined; files: Record<string, unknown> },
  context: z.RefinementCtx,
): void {
  for (const network of ['textEncoder', 'transformer', 'vae'] as const) {
    const [file, isSaid] = [CUDA_GRAPHS[network], cuda[network] !== undefined];
    if (isSaid === Object.hasOwn(files, file)) continue;
    const message = isSaid ? `${file} is not listed` : `${file} is listed, but not described`;
    context.addIssue({ code: 'custom', path: ['cuda', network], message });
  }
}

async function readDescription(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const isNone = code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR';
    const found = isNone ? 'none' : `one that cannot be read: ${message}`;
    throw new UserError(`${path.dirname(file)} is not a bundle: expected a file bundle.json in it, found ${found}`);
  }
}

function parseJson(file: string, bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new UserError(`${file} is not JSON: ${(error as Error).message}`);
  }
}
