import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { elsewhere, field } from './onnx-bytes.ts';

const GRAPH = 'vae_decoder.onnx';

/** Lets a graph of the bundle load a file that bundle.json, which is right otherwise, does not list. */
export async function addStrayData(folder: string, name: string): Promise<void> {
  // Protobuf joins a second graph with the first.
  const graph = Buffer.concat([await readFile(path.join(folder, GRAPH)), field(7, field(5, elsewhere(name)))]);
  await writeFile(path.join(folder, GRAPH), graph);
  await writeFile(path.join(folder, name), 'weights');
  const file = path.join(folder, 'bundle.json');
  const description = JSON.parse(await readFile(file, 'utf8'));
  description.files[GRAPH] = { sha256: createHash('sha256').update(graph).digest('hex'), bytes: graph.length };
  await writeFile(file, JSON.stringify(description));
}
