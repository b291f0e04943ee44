import { createServer } from 'node:net';
import getPort, { portNumbers } from 'get-port';
import { UserError } from '../../domain/user-error.ts';

export const loopback = '127.0.0.1';

/** A free port on loopback: the previous one, else the first free one from `usual` on, else any. */
export const freePort = (usual: number | null, before?: number): Promise<number> =>
  getPort({
    host: loopback,
    port: [...(before === undefined ? [] : [before]), ...(usual === null ? [] : portNumbers(usual, usual + 99))],
  });

/** @throws UserError if the port is in use */
export async function checkPortIsFree(port: number): Promise<void> {
  const taken = await new Promise<boolean>((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(true));
    probe.listen(port, loopback, () => probe.close(() => resolve(false)));
  });
  if (taken) throw new UserError(`port ${port}: address already in use by another program; choose another port`);
}
