/** Creates one object of the given size and prints the outcome. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openStore, storeUrl } from '../../store/open-store.ts';

const [root = '', bytes = '0'] = process.argv.slice(2);
const store = await openStore(storeUrl(root));
const { name, message } = await store.create('objects/a.png', new Uint8Array(Number(bytes)), 'image/png').then(
  () => ({ name: 'none', message: '' }),
  (error: Error) => error,
);
const listed: string[] = [];
for await (const object of store.list('')) listed.push(object.name);
process.stdout.write(JSON.stringify({ error: name, message, listed, temporary: await readdir(join(root, '.tmp')) }));
