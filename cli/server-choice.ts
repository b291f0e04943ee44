import { type TemporalTarget, temporalTarget } from '../client/index.ts';
import { fleetAddress } from '../infra/dev/fleet-note.ts';
import { type RememberedServer, rememberedServer } from '../infra/dev/server-memory.ts';
import { type ServerOptions, stateFolder } from './options/common-options.ts';

/** The server that a command asks, and how it comes to it. */
export type ServerChoice = { target: TemporalTarget } & (
  | { from: 'a person' | 'a running dev' | 'nowhere' }
  /** The state folder's, of a "dev" that does not run. */
  | { from: 'the state folder'; server: RememberedServer }
);

/** What a person names wins; then that of a "dev" with this state folder, which may have another port than the usual one; then the usual one. */
export function chooseServer(options: ServerOptions, state: string = stateFolder()): ServerChoice {
  const named = temporalTarget(options, process.env, '');
  if (named.address !== '') return { target: named, from: 'a person' };
  const at = (address?: string): TemporalTarget => temporalTarget(options, process.env, address);
  const running = fleetAddress(state);
  if (running !== undefined) return { target: at(running), from: 'a running dev' };
  const server = rememberedServer(state);
  if (server !== undefined) return { target: at(server.address), from: 'the state folder', server };
  return { target: at(), from: 'nowhere' };
}

type Served = Pick<TemporalTarget, 'address' | 'namespace'>;

/** ` --address …` for a command that would ask another server without it, otherwise nothing. */
export const serverHint = (server: Served): string => difference(server, chooseServer({}).target);

/** The same for `worker`, which looks into no state folder. */
export const workerHint = (server: Served): string => difference(server, temporalTarget());

function difference({ address, namespace }: Served, target: Served): string {
  return [
    ...(target.address === address ? [] : [` --address ${address}`]),
    ...(target.namespace === namespace ? [] : [` --namespace ${namespace}`]),
  ].join('');
}
