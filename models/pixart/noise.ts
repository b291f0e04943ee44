const STATE = 624;
const SHIFT = 397;
const BLOCK = 16;
const HALF = BLOCK / 2;
const TWO_PI = Math.fround(2 * Math.PI);

/**
 * Standard normal noise, drawn again and again from one generator: each draw is the same within 1e-6 as
 * `torch.randn(count, generator=generator)` in float32, called in the same order with
 * `generator = torch.Generator("cpu").manual_seed(seed)`.
 *
 * 24-bit uniforms of an MT19937 are paired eight apart in blocks of sixteen by Box–Muller; an unfinished last block is drawn
 * again for the last sixteen numbers. Fewer than sixteen numbers torch draws in another way, from 53-bit uniforms, and keeps
 * the second of the last pair for the next draw of that kind.
 *
 * Source: pytorch, aten/src/ATen/native/cpu/DistributionTemplates.h (`normal_fill`) and core/DistributionsHelper.h.
 *
 * @param seed 0 … 2³² − 1
 */
export function normalStream(seed: number): (count: number) => Float32Array {
  const next = mersenneTwister(seed);
  const nextNormal = pairedNormals(next);
  return (count) => (count < BLOCK ? new Float32Array(count).map(nextNormal) : drawBlocks(count, next));
}

/** The first draw of a stream. */
export const randomNormal = (count: number, seed: number): Float32Array => normalStream(seed)(count);

function drawBlocks(count: number, next: () => number): Float32Array {
  const numbers = new Float32Array(count);
  for (let i = 0; i < count; i++) numbers[i] = uniform(next);
  for (let start = 0; start + BLOCK <= count; start += BLOCK) transformBlock(numbers, start);
  if (count % BLOCK !== 0) {
    const start = count - BLOCK;
    for (let i = start; i < count; i++) numbers[i] = uniform(next);
    transformBlock(numbers, start);
  }
  return numbers;
}

const uniform = (next: () => number): number => (next() & 0xff_ffff) / 0x100_0000;

function transformBlock(numbers: Float32Array, start: number): void {
  for (let i = start; i < start + HALF; i++) {
    const radius = Math.fround(Math.sqrt(-2 * Math.log(1 - numbers[i]!)));
    const angle = Math.fround(TWO_PI * numbers[i + HALF]!);
    numbers[i] = radius * Math.cos(angle);
    numbers[i + HALF] = radius * Math.sin(angle);
  }
}

function pairedNormals(next: () => number): () => number {
  let kept: number | undefined;
  return () => {
    const second = kept;
    kept = undefined;
    if (second !== undefined) return second;
    const angle = 2 * Math.PI * uniform53(next);
    const radius = Math.sqrt(-2 * Math.log1p(-uniform53(next)));
    kept = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}

function uniform53(next: () => number): number {
  const high = next() & 0x1f_ffff;
  return (high * 2 ** 32 + next()) / 2 ** 53;
}

/** MT19937 (Matsumoto and Nishimura, 1998): unsigned 32-bit numbers from a seed of 0 … 2³² − 1. */
export function mersenneTwister(seed: number): () => number {
  const state = new Uint32Array(STATE);
  state[0] = seed;
  for (let i = 1; i < STATE; i++) {
    const previous = state[i - 1]!;
    state[i] = Math.imul(1_812_433_253, previous ^ (previous >>> 30)) + i;
  }
  let position = STATE;
  return () => {
    if (position === STATE) {
      regenerate(state);
      position = 0;
    }
    return temper(state[position++]!);
  };
}

function regenerate(state: Uint32Array): void {
  for (let i = 0; i < STATE; i++) {
    const mixed = (state[i]! & 0x8000_0000) | (state[(i + 1) % STATE]! & 0x7fff_ffff);
    state[i] = state[(i + SHIFT) % STATE]! ^ (mixed >>> 1) ^ (mixed & 1 ? 0x9908_b0df : 0);
  }
}

function temper(value: number): number {
  let y = value;
  y ^= y >>> 11;
  y ^= (y << 7) & 0x9d2c_5680;
  y ^= (y << 15) & 0xefc6_0000;
  y ^= y >>> 18;
  return y >>> 0;
}
