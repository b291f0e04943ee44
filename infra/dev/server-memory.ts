import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** The server that a state folder's file had last, whether it runs or not. */
const schema = z.object({
  address: z.string(),
  uiUrl: z.string().nullable(),
  /** Tells it from any other one that may answer there by now. */
  namespaceId: z.string(),
});

export type RememberedServer = z.infer<typeof schema>;

const fileIn = (stateFolder: string): string => join(stateFolder, 'server.json');

/** Keeps where the server is: it is to come back there, and nobody's batches are to be looked for elsewhere. */
export function rememberServer(stateFolder: string, { address, uiUrl, namespaceId }: RememberedServer): void {
  const temporary = `${fileIn(stateFolder)}.${process.pid}`;
  writeFileSync(temporary, JSON.stringify({ address, uiUrl, namespaceId } satisfies RememberedServer), { mode: 0o600 });
  renameSync(temporary, fileIn(stateFolder));
}

/** `undefined` where the folder has had none, or an earlier version ran it. */
export function rememberedServer(stateFolder: string): RememberedServer | undefined {
  try {
    return schema.parse(JSON.parse(readFileSync(fileIn(stateFolder), 'utf8')));
  } catch {
    return undefined;
  }
}

/** The ports of a server. */
export const portsOf = ({ address, uiUrl }: Pick<RememberedServer, 'address' | 'uiUrl'>) => ({
  port: Number(address.split(':').at(-1)),
  ...(uiUrl !== null && { uiPort: Number(new URL(uiUrl).port) }),
});
