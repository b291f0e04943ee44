import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** The last server on a state folder's file, whether it runs or not. */
const schema = z.object({
  address: z.string(),
  uiUrl: z.string().nullable(),
  /** Distinguishes it from any other server that may answer there by now. */
  namespaceId: z.string(),
});

export type RememberedServer = z.infer<typeof schema>;

const fileIn = (stateFolder: string): string => join(stateFolder, 'server.json');

/** Records the server's address: it has to come back there, and batches must not be looked for on another server. */
export function rememberServer(stateFolder: string, { address, uiUrl, namespaceId }: RememberedServer): void {
  const temporary = `${fileIn(stateFolder)}.${process.pid}`;
  writeFileSync(temporary, JSON.stringify({ address, uiUrl, namespaceId } satisfies RememberedServer), { mode: 0o600 });
  renameSync(temporary, fileIn(stateFolder));
}

/** `undefined` if the folder has had no server, or only one of an earlier version of the product. */
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
