import path from 'node:path';
import sharp from 'sharp';
import { encodeImage } from '../../images/index.ts';
import { sampleJob } from '../../tests/images/sample-job.ts';

/** Processor seconds to encode one of these images in its own format, on average. */
export async function encodingSeconds(store: string, pictures: string[]): Promise<number> {
  const decoded = await Promise.all(
    pictures.map((name) => sharp(path.join(store, name)).removeAlpha().raw().toBuffer({ resolveWithObject: true })),
  );
  const before = process.cpuUsage();
  for (const { data, info } of decoded) {
    const job = { ...sampleJob, format: 'png', quality: null } as const;
    await encodeImage({ rgb: data, ...info }, { job, bundle: { name: 'any', digest: '0'.repeat(64) } });
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6 / pictures.length;
}
