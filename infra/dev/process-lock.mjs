// Plain Node: the bootstrap imports this file before anything is installed.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * A lock that ends with its holder, even after kill -9. Node has no flock, so the lock at `<path>` is a Unix socket
 * `<path>-<process>-<random>` that its holder listens on; a socket without a listener is free. A process that wants the
 * lock first listens on its own socket and then looks for others, so that of two at least one sees the other and backs
 * off. Names are never reused, so anyone may remove what a dead process left. Processes on other machines are not seen.
 *
 * @typedef {object} Lock
 * @property {string} name unique among all locks, of any process at any time
 * @property {() => Promise<void>} release
 *
 * @typedef {object} Holder the process that has the lock, or is asking for it
 * @property {string} name its lock's name
 * @property {number} pid
 * @property {Promise<void>} gone resolves as soon as the lock is free again
 * @property {() => void} leave stops watching
 */

/** No socket can be created there. */
export class CannotLock extends Error {}

/**
 * The lock, or its holder.
 *
 * @param {string} path
 * @returns {Promise<{ lock: Lock, holder: null } | { lock: null, holder: Holder }>}
 * @throws {CannotLock}
 */
export async function lockOrHolder(path) {
  const place = resolve(path);
  makeFolder(dirname(place));
  for (;;) {
    const lock = await tryLock(place);
    if (lock !== null) return { lock, holder: null };
    const holder = await findHolder(place);
    if (holder !== null) return { lock: null, holder };
    // Two processes that saw each other must not keep colliding.
    await sleep(Math.random() * 50);
  }
}

/** @param {string} folder */
function makeFolder(folder) {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new CannotLock(/** @type {Error} */ (error).message);
  }
}

/** @param {string} place @returns {Promise<Lock | null>} */
async function tryLock(place) {
  const file = `${place}-${process.pid}-${randomBytes(4).toString('hex')}`;
  const lock = await listen(file);
  // A process that looked before we listened may have removed our file.
  if (!(await othersListen(place, file)) && existsSync(file)) return lock;
  await lock.release();
  return null;
}

/** @param {string} file @returns {Promise<Lock>} */
async function listen(file) {
  /** @type {Set<import('node:net').Socket>} */
  const watchers = new Set();
  const server = createServer((socket) => {
    watchers.add(socket);
    socket.once('close', () => watchers.delete(socket)).on('error', () => {});
    socket.resume().unref();
  });
  try {
    await atShortPath(file, (path) => once(server.listen(path), 'listening'));
  } catch (error) {
    throw error instanceof CannotLock ? error : new CannotLock(/** @type {Error} */ (error).message);
  }
  server.unref();
  const close = async () => {
    rmSync(file, { force: true });
    const closed = once(server, 'close');
    server.close();
    for (const socket of watchers) socket.destroy();
    await closed;
  };
  /** @type {Promise<void> | undefined} */
  let released;
  const release = () => {
    released ??= close();
    return released;
  };
  return { name: basename(file), release };
}

/** Removes what dead processes left. @param {string} place @param {string} own */
async function othersListen(place, own) {
  for (const file of socketsAt(place)) {
    if (file === own) continue;
    const socket = await reach(file);
    socket?.destroy();
    if (socket !== null) return true;
    rmSync(file, { force: true });
  }
  return false;
}

/** @param {string} place @returns {Promise<Holder | null>} */
async function findHolder(place) {
  for (const file of socketsAt(place)) {
    const socket = await reach(file);
    if (socket === null) continue;
    const gone = new Promise((resolve) => {
      socket.once('close', () => resolve(undefined)).on('error', () => {});
      socket.resume();
    });
    const pid = Number(file.split('-').at(-2));
    return { name: basename(file), pid, gone, leave: () => void socket.destroy() };
  }
  return null;
}

/** @param {string} place */
function socketsAt(place) {
  const prefix = `${basename(place)}-`;
  const isOurs = (/** @type {string} */ name) =>
    name.startsWith(prefix) && /^\d+-[0-9a-f]{8}$/.test(name.slice(prefix.length));
  return readdirSync(dirname(place), { withFileTypes: true })
    .filter((entry) => entry.isSocket() && isOurs(entry.name))
    .map(({ name }) => join(dirname(place), name));
}

/** Its owner is exiting, or so many processes connect that the system makes us wait. */
const LOOK_AGAIN = ['ECONNRESET', 'EPIPE', 'EAGAIN'];

/**
 * A connection to the process that listens there, or `null` if none does.
 *
 * @param {string} file
 * @returns {Promise<import('node:net').Socket | null>}
 */
async function reach(file) {
  for (;;) {
    const { socket, code } = await atShortPath(file, tryToReach);
    if (socket !== null) return socket;
    if (code === 'ECONNREFUSED' || code === 'ENOENT') return null;
    if (!LOOK_AGAIN.includes(code)) throw new CannotLock(`connect ${code} ${file}`);
    await sleep(20);
  }
}

/**
 * @param {string} path
 * @returns {Promise<{ socket: import('node:net').Socket, code: '' } | { socket: null, code: string }>}
 */
function tryToReach(path) {
  const socket = connect(path);
  return new Promise((resolve) => {
    socket.once('connect', () => resolve({ socket, code: '' }));
    socket.once('error', (/** @type {NodeJS.ErrnoException} */ { code = '' }) => resolve({ socket: null, code }));
  });
}

/**
 * The longest socket path on macOS, in bytes; Linux allows four more. Node 20 cuts off the rest and listens elsewhere.
 */
const LONGEST_PATH = 103;

/**
 * @template T
 * @param {string} file
 * @param {(path: string) => Promise<T>} use
 * @throws {CannotLock}
 */
async function atShortPath(file, use) {
  if (Buffer.byteLength(file) <= LONGEST_PATH) return use(file);
  const folder = mkdtempSync(join(tmpdir(), 'lock-'));
  try {
    symlinkSync(dirname(file), join(folder, 'd'));
    const path = join(folder, 'd', basename(file));
    if (Buffer.byteLength(path) > LONGEST_PATH) throw new CannotLock(`${file}: too long for a socket's path`);
    return await use(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
