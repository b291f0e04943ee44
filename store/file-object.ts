import type { BigIntStats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { crc32c } from './crc32c.ts';
import { isMissing } from './file-errors.ts';
import type { Content, Created, FoundObject, ObjectMetadata } from './object-store.ts';

/** What a FileObject needs from its store. */
export type FileAccess = {
  readMetadata(name: string): Promise<ObjectMetadata>;
  writeMetadata(name: string, metadata: ObjectMetadata): Promise<void>;
  /** Gives the file a second name. @throws ObjectChanged */
  link(file: FileObject, to: string): Promise<void>;
  /** @throws ObjectChanged */
  noteUse(file: FileObject): Promise<void>;
  /** @returns false if another file has the name by now */
  moveAside(file: FileObject, aside: string): Promise<boolean>;
  create(name: string, content: Content): Promise<Created>;
};

/** Identifies one state of a file: a replacement has another inode, and a change in place another mtime. */
export const versionOf = ({ ino, mtimeNs, size }: BigIntStats): string => `${ino}-${mtimeNs}-${size}`;

/** Changes whenever a link to the file is added or removed. */
export const usesOf = ({ ctimeNs }: BigIntStats): string => String(ctimeNs);

/** The version of what is at the path now; `null` if nothing is. Symbolic links are not followed. */
export async function versionAt(path: string): Promise<string | null> {
  try {
    return versionOf(await lstat(path, { bigint: true }));
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** A file in a store, with its bytes. */
export class FileObject implements FoundObject {
  readonly name: string;
  readonly bytes: number;
  readonly crc32c: string;
  readonly #version: string;
  readonly #data: Uint8Array;
  readonly #access: FileAccess;

  constructor(access: FileAccess, name: string, version: string, data: Uint8Array) {
    this.name = name;
    this.bytes = data.length;
    this.crc32c = crc32c(data);
    this.#version = version;
    this.#data = data;
    this.#access = access;
  }

  get version(): string {
    return this.#version;
  }

  metadata(): Promise<ObjectMetadata> {
    return this.#access.readMetadata(this.name);
  }

  async describe(metadata: ObjectMetadata): Promise<void> {
    await this.#access.writeMetadata(this.name, { ...(await this.metadata()), ...metadata });
  }

  async read(): Promise<Uint8Array> {
    return this.#data;
  }

  copy(to: string): Promise<void> {
    return this.#access.link(this, to);
  }

  noteUse(): Promise<void> {
    return this.#access.noteUse(this);
  }

  async supersede(aside: string, content: Content): Promise<FoundObject | null> {
    if (!(await this.#access.moveAside(this, aside))) return null;
    const { created, stat } = await this.#access.create(this.name, content);
    return created ? stat : null;
  }
}
