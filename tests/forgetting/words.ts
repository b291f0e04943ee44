import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import proto from '@temporalio/proto';
import type { BatchClient } from '../../client/index.ts';

/** The files of a folder whose bytes, name or compressed PNG texts contain a word, in any case. */
export async function filesWith(folder: string, word: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(folder.length + 1);
    // A worker's temporary file may disappear between the listing and this.
    const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      return null;
    });
    if (bytes === null) continue;
    if (isIn(name, bytes, word)) found.push(name);
  }
  return found.sort();
}

/** Whether a file's name, its bytes or its compressed texts contain a word. */
export const isIn = (name: string, bytes: Uint8Array, word: string): boolean =>
  [Buffer.from(name), bytes, ...compressedTexts(Buffer.from(bytes))].some((part) => hasWord(part, word));

const hasWord = (bytes: Uint8Array, word: string): boolean =>
  Buffer.from(bytes).toString('latin1').toLowerCase().includes(word.toLowerCase());

/** The texts compressed in a PNG's zTXt and iTXt chunks (https://www.w3.org/TR/png-3/#11textinfo). */
function compressedTexts(file: Buffer): Buffer[] {
  const texts: Buffer[] = [];
  if (file.subarray(1, 4).toString() !== 'PNG') return texts;
  for (let at = 8; at + 12 <= file.length; at += 12 + file.readUInt32BE(at)) {
    const type = file.subarray(at + 4, at + 8).toString();
    const data = file.subarray(at + 8, at + 8 + file.readUInt32BE(at));
    const keyword = data.indexOf(0);
    if (type === 'zTXt') texts.push(inflateSync(data.subarray(keyword + 2)));
    if (type !== 'iTXt' || data[keyword + 1] !== 1) continue;
    const language = data.indexOf(0, keyword + 3);
    texts.push(inflateSync(data.subarray(data.indexOf(0, language + 1) + 1)));
  }
  return texts;
}

/** The runs on the server whose listing, description or history contains a word. */
export async function historiesWith({ temporal: client, namespace }: BatchClient, word: string): Promise<string[]> {
  const { WorkflowExecutionInfo } = proto.temporal.api.workflow.v1;
  const { DescribeWorkflowExecutionResponse } = proto.temporal.api.workflowservice.v1;
  const found: string[] = [];
  for await (const { workflowId, runId, raw } of client.workflow.list()) {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    const described = await client.workflowService.describeWorkflowExecution({
      namespace,
      execution: { workflowId, runId },
    });
    const parts = [
      WorkflowExecutionInfo.encode(raw).finish(),
      DescribeWorkflowExecutionResponse.encode(described).finish(),
      proto.temporal.api.history.v1.History.encode(history).finish(),
    ];
    if (parts.some((part) => hasWord(part, word))) found.push(workflowId);
  }
  return found.sort();
}
