// Loaded with --import into worker processes: where a rule says so, files of a store are read and written as a disk
// does that fails. The rule lies in a file, so that a fault begins and ends while the process runs. Plain JavaScript,
// as Node loads it before anything else.
import { appendFileSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';

const { searchParams } = new URL(import.meta.url);
const ruleFile = String(searchParams.get('rule'));
const hitsFile = String(searchParams.get('hits'));

/** @typedef {{ on: 'read' | 'write', name: string, fault: string }} Rule */

/** @returns {Rule | null} */
function rule() {
  try {
    return JSON.parse(readFileSync(ruleFile, 'utf8'));
  } catch {
    return null;
  }
}

/**
 * @param {'read' | 'write'} on
 * @param {string} path
 */
function ruleFor(on, path) {
  const found = rule();
  if (found === null || found.on !== on || !new RegExp(found.name).test(path)) return null;
  appendFileSync(hitsFile, '.');
  return found;
}

const full = () => Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', errno: -28 });

/** A finished temporary file gets its name: the moment at which an object comes to be. */
const named =
  (/** @type {(from: string, to: string) => Promise<void>} */ real) =>
  async (/** @type {string} */ from, /** @type {string} */ to) => {
    for (let found = ruleFor('write', String(to)); found !== null; found = ruleFor('write', String(to))) {
      if (found.fault === 'hang') {
        await sleep(50);
        continue;
      }
      if (found.fault === 'disk full') throw full();
      if (found.fault === 'partial write') {
        // The process dies with half of it written, as in a power cut.
        rmSync(ruleFile);
        truncateSync(from, 1);
        process.kill(process.pid, 'SIGKILL');
      }
      break;
    }
    return real(from, to);
  };

/** @param {Buffer} bytes */
function damaged(bytes) {
  const at = Math.floor(bytes.length / 2);
  if (bytes.length > 0) bytes[at] = Number(bytes[at]) ^ 1;
  return bytes;
}

if (isMainThread) {
  const { link, rename, open } = fs;
  Object.assign(fs, {
    link: named(/** @type {any} */ (link)),
    rename: named(/** @type {any} */ (rename)),
    /** @param {[any, any, any]} args */
    async open(...args) {
      let found = ruleFor('read', String(args[0]));
      for (; found?.fault === 'hang'; found = ruleFor('read', String(args[0]))) await sleep(50);
      const handle = await open(...args);
      if (found?.fault === 'corrupted read') {
        const readFile = handle.readFile.bind(handle);
        handle.readFile = /** @type {any} */ (async () => damaged(/** @type {Buffer} */ (await readFile())));
      }
      return handle;
    },
  });
  syncBuiltinESMExports();
}
