import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { UserError } from '../../domain/user-error.ts';

const run = promisify(execFile);
const ip = (...args: string[]): Promise<unknown> => run('ip', args);

const BRIDGE = 'bridge';
export const HUB_ADDRESS = '10.231.77.1';

/** Network namespaces connected by a switch in the first of them, like hosts in a rack. */
export type Network = {
  /** The namespace with the switch and everything that all hosts have to reach. */
  hub: string;
  hosts: string[];
  remove(): Promise<void>;
};

/** The prefix that runs a command in a namespace. */
export const within = (namespace: string): string[] => ['ip', 'netns', 'exec', namespace];

/** Pulls a host's cable out of the switch, or plugs it back in. Call it inside the hub. */
export const setCable = (host: number, state: 'up' | 'down') => ip('link', 'set', port(host), state);

const port = (host: number): string => `port${host}`;

/** @throws UserError if this machine or user cannot create network namespaces; nothing is left behind then */
export async function createNetwork(hosts: number): Promise<Network> {
  if (process.getuid?.() !== 0) throw new UserError('network namespaces: expected to run as root, found another user');
  const name = (part: string): string => `pixart-${process.pid}-${part}`;
  const network = {
    hub: name('hub'),
    hosts: Array.from({ length: hosts }, (_, host) => name(`host${host}`)),
    remove,
  };
  async function remove(): Promise<void> {
    // Deleting a namespace deletes its devices, and with them the other ends of their pairs.
    for (const namespace of [...network.hosts, network.hub]) await ip('netns', 'del', namespace).catch(() => {});
  }
  try {
    await makeHub(network.hub);
    for (const [host, namespace] of network.hosts.entries()) await connectHost(network.hub, namespace, host);
  } catch (error) {
    await remove();
    throw new UserError(
      'network namespaces: expected Linux with the ip program (package iproute2) and permission to create namespaces, bridges and ' +
        `veth pairs (CAP_NET_ADMIN and CAP_SYS_ADMIN); found: ${error instanceof Error ? error.message.trim() : error}`,
    );
  }
  return network;
}

async function makeHub(hub: string): Promise<void> {
  await ip('netns', 'add', hub);
  await ip('-n', hub, 'link', 'set', 'lo', 'up');
  await ip('-n', hub, 'link', 'add', BRIDGE, 'type', 'bridge');
  await ip('-n', hub, 'address', 'add', `${HUB_ADDRESS}/24`, 'dev', BRIDGE);
  await ip('-n', hub, 'link', 'set', BRIDGE, 'up');
}

async function connectHost(hub: string, namespace: string, host: number): Promise<void> {
  await ip('netns', 'add', namespace);
  await ip('-n', hub, 'link', 'add', port(host), 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
  await ip('-n', hub, 'link', 'set', port(host), 'master', BRIDGE, 'up');
  await ip('-n', namespace, 'address', 'add', `${HUB_ADDRESS.replace(/1$/, String(host + 2))}/24`, 'dev', 'eth0');
  for (const device of ['lo', 'eth0']) await ip('-n', namespace, 'link', 'set', device, 'up');
}
