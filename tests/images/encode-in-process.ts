/** Prints how many threads sharp uses by default, and the checksum of a picture in each format. */
import sharp from 'sharp';
import { IMAGE_FORMATS } from '../../domain/image-format.ts';
import { crc32c } from '../../store/crc32c.ts';
import { bundle, sampleJob, samplePixels } from './sample-job.ts';

const threads = sharp.concurrency();
const { encodeImage } = await import('../../images/index.ts');
const SIDE = 512;
const sums: Record<string, string> = {};
for (const format of IMAGE_FORMATS) {
  const job = { ...sampleJob, width: SIDE, height: SIDE, format, quality: format === 'png' ? null : 60 };
  sums[format] = crc32c(await encodeImage(samplePixels(SIDE, SIDE), { job, bundle }));
}
process.stdout.write(JSON.stringify({ threads, sums }));
