import { readFileSync } from 'node:fs';
import { nearestBin } from '../../domain/bins.ts';
import type { Size } from '../../domain/size.ts';
import { type Bundle, bundleRef, promptReader, type RequestCaptions } from '../../models/pixart/index.ts';
import { createEncoder, startRenderer } from '../../models/renderer/index.ts';

/**
 * Bytes. The peak is the kernel's own, so it misses no short spike; `file` is the part mapped from files at the end.
 */
export type Peak = { peak: number; file: number };

/**
 * The peak of a process that has rendered one square image of the size, two steps with guidance, from captions of
 * `tokens` tokens.
 */
export async function painterPeak(bundle: Bundle, size: Size, tokens: number): Promise<Peak> {
  let pid = 0;
  const renderer = await startRenderer({
    bundleFolder: bundle.folder,
    device: 'cpu',
    threads: 2,
    onStart: (child) => {
      pid = child.pid;
    },
  });
  try {
    const bin = nearestBin(size, 1, 1);
    const picture = { ...{ prompt: '', negativePrompt: '', seed: 1, guidance: 4.5 }, size, bin, ...bin };
    const { heads, headWidth } = bundle.description.transformer;
    const steps = Math.min(2, bundleRef(bundle).maxSteps ?? 2);
    await renderer.render({ ...picture, steps }, captionsOf(tokens, heads * headWidth));
    return peakOf(pid);
  } finally {
    await renderer.close();
  }
}

/** The peak of a process that has encoded one text of the bundle's full token length. */
export async function encoderPeak(bundle: Bundle): Promise<Peak> {
  let pid = 0;
  const encoder = createEncoder({
    bundleFolder: bundle.folder,
    device: 'cpu',
    threads: 2,
    onStart: (child) => {
      pid = child.pid;
    },
  });
  try {
    const { read } = await promptReader(bundle);
    await encoder.encode(read('fox '.repeat(bundle.description.tokenizer.maxTokens)).ids);
    return peakOf(pid);
  } finally {
    await encoder.close();
  }
}

function captionsOf(tokens: number, width: number): RequestCaptions {
  const caption = () => ({ states: new Float32Array(tokens * width).fill(0.1), tokens });
  return { prompt: caption(), negative: caption() };
}

function peakOf(pid: number): Peak {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const of = (name: string): number => 1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]);
  return { peak: of('VmHWM'), file: of('RssFile') };
}
