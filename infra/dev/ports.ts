import { createServer } from 'node:net';
import getPort, { portNumbers } from 'get-port';
import { UserError } from '../../domain/user-error.ts';

export const loopback = '127.0.0.1';

/** A port on loopback that nobody listens on: that of the last time, the first free one from `usual` on, or any. */
export const freePort = (usual: number | null, before?: number): Promise<number> =>
  getPort({
    host: loopback,
    port: [...(before === undefined ? [] : [before]), ...(usual === null ? [] : portNumbers(usual, usual + 99))],
  });

/** @throws UserError when somebody listens on the port. */
export async function checkPortIsFree(port: number): Promise<void> {
  const taken = await new Promise<boolean>((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(true));
    probe.listen(port, loopback, () => probe.close(() => resolve(false)));
  });
  if (taken) throw new UserError(`port ${port}: address already in use by another program; choose another port`);
}
