import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { planCatalog } from '../../catalog/plan-catalog.ts';
import type { Job } from '../../domain/job.ts';
import { type Size, sizeSchema } from '../../domain/size.ts';
import { encodeImage, makeContactSheet } from '../../images/index.ts';
import { bundleRef, loadPipeline, openBundle, PIPELINE_VERSION, type Pipeline, verifyBundle } from '../pixart/index.ts';

/** Renders a JSONL catalog in this process with the product's own pipeline and lays out the images on one sheet. */
async function renderSheet(bundleFolder: string, size: Size, catalog: string, sheet: string): Promise<void> {
  const bundle = await openBundle(bundleFolder);
  await verifyBundle(bundle);
  const { shards } = await planCatalog(createReadStream(catalog), {
    file: catalog,
    format: 'jsonl',
    columns: {},
    defaults: { size, format: 'png', quality: null },
    bundle: bundleRef(bundle),
    pipelineVersion: PIPELINE_VERSION,
  });
  const jobs = shards.flatMap((shard) => shard.jobs);
  const pipeline = await loadPipeline(bundle, { device: 'cpu', threads: 2 });
  const images = jobs.map((job) => ({ id: job.id, caption: job.prompt, read: () => renderPng(pipeline, job) }));
  const title = `${bundle.description.name}, ${size} px, ${jobs.length} prompts`;
  await writeFile(sheet, await makeContactSheet({ title, images, total: jobs.length }));
  await pipeline.dispose();
}

async function renderPng(pipeline: Pipeline, job: Job): Promise<Uint8Array> {
  const image = await pipeline.render(job);
  console.error(`${job.prompt}: ${Math.round(image.timings.denoiseMs + image.timings.decodeMs)} ms`);
  return encodeImage(image, { job, bundle: bundleRef(pipeline.bundle) });
}

const [bundleFolder, size, catalog, sheet] = process.argv.slice(2);
if (sheet === undefined) {
  console.error('usage: npx tsx models/training/render-sheet.ts <bundle> <size> <catalog.jsonl> <sheet.webp>');
  process.exit(2);
}
await renderSheet(bundleFolder!, sizeSchema.parse(size), catalog!, sheet);
