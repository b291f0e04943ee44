import { randomUUID } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { access, mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileTrouble } from '../../../domain/file-trouble.ts';
import { UserError } from '../../../domain/user-error.ts';

const alreadyThere = (file: string): UserError =>
  new UserError(`${file} already exists: choose another name with --out, or replace it with --force`);

/**
 * Checks that an image can be written there, and makes its folder: an image may take half an hour.
 *
 * @param force whether a file of that name may be replaced
 * @throws UserError
 */
export async function checkPlace(file: string, force: boolean): Promise<void> {
  if (existsSync(file) && !force) throw alreadyThere(file);
  try {
    if (existsSync(file)) return await checkReplaceable(file);
    await mkdir(dirname(file), { recursive: true });
    await access(dirname(file), constants.W_OK);
  } catch (error) {
    throw notWritten(file, error);
  }
}

async function checkReplaceable(file: string): Promise<void> {
  const found = await stat(file);
  if (found.isDirectory()) throw new Error('it is a folder');
  await access(file, constants.W_OK);
  if (found.isFile()) await access(dirname(await realpath(file)), constants.W_OK);
}

/**
 * Writes an image. If that fails, no part of it is left, and a file that it was to replace is as before.
 *
 * @throws UserError
 */
export async function saveImage(file: string, bytes: Uint8Array, force: boolean): Promise<void> {
  try {
    const present = force ? await stat(file).catch(() => null) : null;
    // A device or a pipe cannot be replaced.
    if (present?.isFile()) await putInPlace(await realpath(file), bytes, present.mode);
    else await writeWhole(file, bytes, { flag: force ? 'w' : 'wx' });
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'EEXIST' ? alreadyThere(file) : notWritten(file, error);
  }
}

/** The old image stays until the new one is whole. */
async function putInPlace(file: string, bytes: Uint8Array, mode: number): Promise<void> {
  const part = `${file}.${randomUUID()}.part`;
  await writeWhole(part, bytes, { flag: 'wx', mode });
  await rename(part, file);
}

/** A part of an image is of no use, and would be in the way of the next attempt. */
async function writeWhole(file: string, bytes: Uint8Array, options: { flag: string; mode?: number }): Promise<void> {
  const opened = await open(file, options.flag, options.mode);
  try {
    await opened.writeFile(bytes);
  } catch (error) {
    if ((await opened.stat()).isFile()) await rm(file, { force: true });
    throw error;
  } finally {
    await opened.close();
  }
}

const notWritten = (file: string, error: unknown): UserError =>
  new UserError(
    `${file} cannot be written: ${fileTrouble(error) ?? (error as Error).message}. Choose another place with --out.`,
  );
