import { type TemporalTarget, temporalTarget } from '../client/index.ts';
import { type FleetNote, runningFleet } from '../infra/dev/fleet-note.ts';
import { type RememberedServer, rememberedServer } from '../infra/dev/server-memory.ts';
import { type ServerOptions, stateFolder } from './options/common-options.ts';

/** The server that a command uses, and why. */
export type ServerChoice = { target: TemporalTarget } & (
  | { from: 'a person' | 'nowhere' }
  | { from: 'a running dev'; server: FleetNote }
  /** Remembered in the state folder by a "dev" that is not running. */
  | { from: 'the state folder'; server: RememberedServer }
);

/** The server that the user names wins; then the "dev" with this state folder, which may use another port; then the default. */
export function chooseServer(options: ServerOptions, state: string = stateFolder()): ServerChoice {
  const named = temporalTarget(options, process.env, '');
  if (named.address !== '') return { target: named, from: 'a person' };
  const at = (address?: string): TemporalTarget => temporalTarget(options, process.env, address);
  const running = runningFleet(state);
  if (running !== undefined) return { target: at(running.address), from: 'a running dev', server: running };
  const server = rememberedServer(state);
  if (server !== undefined) return { target: at(server.address), from: 'the state folder', server };
  return { target: at(), from: 'nowhere' };
}

type Served = Pick<TemporalTarget, 'address' | 'namespace'>;

/** ` --address …` if a command would use another server without it, otherwise empty. */
export const serverHint = (server: Served): string => difference(server, chooseServer({}).target);

/** The same for `worker`, which ignores the state folder. */
export const workerHint = (server: Served): string => difference(server, temporalTarget());

function difference({ address, namespace }: Served, target: Served): string {
  return [
    ...(target.address === address ? [] : [` --address ${address}`]),
    ...(target.namespace === namespace ? [] : [` --namespace ${namespace}`]),
  ].join('');
}
