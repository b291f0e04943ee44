import { readdir, readFile, readlink } from 'node:fs/promises';

const LISTENS = '0A';

/** The addresses at which a process takes connections, as `127.0.0.1:9464`; Linux only. */
export async function listeningAddresses(pid: number): Promise<string[]> {
  const sockets = new Set<string>();
  for (const fd of await readdir(`/proc/${pid}/fd`)) {
    const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '');
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined) sockets.add(inode);
  }
  const tables = await Promise.all(['tcp', 'tcp6'].map((table) => readFile(`/proc/${pid}/net/${table}`, 'utf8')));
  return tables
    .flatMap((table) => table.trim().split('\n').slice(1))
    .flatMap((line) => {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
      return state === LISTENS && sockets.has(inode) ? [addressOf(local)] : [];
    });
}

/** From the kernel's `0100007F:24F8`: each word of an address is in the order of the machine's bytes. */
function addressOf(local: string): string {
  const [address = '', port = ''] = local.split(':');
  const words = address.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => [...Buffer.from(word, 'hex')].reverse());
  const shown = bytes.length === 4 ? bytes.join('.') : Buffer.from(bytes).toString('hex');
  return `${shown}:${Number.parseInt(port, 16)}`;
}
