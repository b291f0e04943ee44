import { execFile } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { childEnvironment } from '../../domain/child-environment.mjs';
import { UserError } from '../../domain/user-error.ts';
import { temporal } from './pinned-tools.mjs';
import { findTool, findTools } from './tools.mjs';

/** The SQLite file of the server that runs on a state folder. */
export const serverFile = (stateFolder: string): string => join(stateFolder, 'temporal.db');

/**
 * A server opens another version's SQLite file without a warning and does not migrate it: batches continue, schedules
 * are lost. So the version that made a file is recorded beside it, and no other opens it. Versions are compared as
 * `1.32`, without the patch.
 */
export const versionFile = (dbFile: string): string => `${dbFile}.version`;

/**
 * The servers by the number of schema changes in their files, which SQLite counts in the file's header. For files that
 * were made before versions were recorded, by the servers of that time.
 */
const SERVERS_BY_SCHEMA: Record<number, string[]> = { 95: ['1.29'], 108: ['1.30'], 109: ['1.31', '1.32'] };
const SCHEMA_COUNT_AT = 40;
const SQLITE_MAGIC = 'SQLite format 3\0';

/** @throws UserError that says what to install */
export function findTemporal(): string {
  const binary = findTool('temporal');
  if (binary !== null) return binary;
  throw new UserError(
    'no "temporal" program on the PATH. "npm start" and "npm test" install it by themselves; ' +
      `by hand: ${temporal.byHand}, or set TEMPORAL_ADDRESS to a running server`,
  );
}

/**
 * The program that may open a file: one with the server that made it. For a new file this records the program that will
 * create it, so the caller must hold the file's lease.
 *
 * @throws UserError if there is no such program; it says what to do
 */
export async function temporalFor(dbFile: string): Promise<string> {
  const servers = madeBy(dbFile);
  if (servers === null) {
    const binary = findTemporal();
    await noteServer(dbFile, binary);
    return binary;
  }
  const binary = await findTemporalWith(servers);
  if (binary === null) throw await noSuchServer(dbFile, servers);
  await noteServer(dbFile, binary);
  return binary;
}

/**
 * The servers that may have made a file, such as `['1.32']`: more than one if their files look the same, `null` if
 * there is no database yet.
 *
 * @throws UserError if nothing identifies the version
 */
export function madeBy(dbFile: string): string[] | null {
  const schema = schemaCount(dbFile);
  if (schema === null) return null;
  const noted = existsSync(versionFile(dbFile)) ? minor(readFileSync(versionFile(dbFile), 'utf8').trim()) : null;
  const servers = SERVERS_BY_SCHEMA[schema];
  // The file may have been replaced since the note was written.
  if (noted !== null && (servers === undefined || servers.includes(noted))) return [noted];
  if (servers !== undefined) return servers;
  throw new UserError(
    `${dbFile}: expected a file of Temporal server 1.29 to 1.32, or a record of the version that made it; found a schema with ` +
      `${schema} changes and no record. Write the server's version, such as 1.28.0, into ${versionFile(dbFile)}`,
  );
}

/** `null` if there is no database. The server itself reports a file that is not one. */
function schemaCount(dbFile: string): number | null {
  if (!existsSync(dbFile)) return null;
  const header = Buffer.alloc(100);
  const file = openSync(dbFile, 'r');
  readSync(file, header, 0, header.length, 0);
  closeSync(file);
  return header.toString('latin1').startsWith(SQLITE_MAGIC) ? header.readUInt32BE(SCHEMA_COUNT_AT) : null;
}

/** A program with one of these servers: first from the PATH, then from those that the bootstrap installed. */
export async function findTemporalWith(servers: readonly string[]): Promise<string | null> {
  for (const binary of findTools('temporal')) {
    const version = await serverVersion(binary);
    if (version !== null && servers.includes(minor(version))) return binary;
  }
  return null;
}

/** `1.32.0` if `--version` prints "temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)". */
async function serverVersion(binary: string): Promise<string | null> {
  const said = await promisify(execFile)(binary, ['--version'], { env: childEnvironment('program') }).catch(() => null);
  return /server (\d+\.\d+\.\d+)/i.exec(said?.stdout ?? '')?.[1] ?? null;
}

/** Records which version owns the file. If the program does not report its version, the schema identifies it later. */
export async function noteServer(dbFile: string, binary: string): Promise<void> {
  const version = await serverVersion(binary);
  if (version !== null) writeFileSync(versionFile(dbFile), `${version}\n`, { mode: 0o600 });
}

const minor = (version: string): string => version.split('.').slice(0, 2).join('.');

const byVersion = new Intl.Collator('en', { numeric: true }).compare;

/** Whether all of these servers are newer than the product's own. */
export const areLater = (servers: readonly string[]): boolean =>
  servers.every((server) => byVersion(server, temporal.server) > 0);

async function noSuchServer(dbFile: string, servers: readonly string[]): Promise<UserError> {
  const wanted = servers.join(' or ');
  const found = await Promise.all(
    findTools('temporal').map(async (binary) => `${binary} (server ${(await serverVersion(binary)) ?? 'unknown'})`),
  );
  const upgrade = `"npx pixart-batch upgrade-server --state ${dirname(dbFile)}"`;
  const otherwise = areLater(servers)
    ? 'choose another state folder with --state'
    : servers.includes(temporal.server)
      ? `install it with ${upgrade}`
      : `move to server ${temporal.server} and keep the schedules with ${upgrade}`;
  return new UserError(
    `${dbFile}: expected a "temporal" program with server ${wanted}, which made this file: any other would open it and lose its ` +
      `schedules. Found ${found.join(', ') || 'none'}. Put one on the PATH (${temporal.byHand}), or ${otherwise}`,
  );
}
