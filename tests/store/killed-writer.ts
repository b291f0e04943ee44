/** Creates large objects until it is killed; prints a line when it starts. */
import { openStore } from '../../store/open-store.ts';
import { KILLED_BYTES, patterned } from './patterned.ts';

const store = await openStore(process.argv[2]!);
const data = patterned(KILLED_BYTES);
process.send?.('writing');
for (let object = 0; ; object++) await store.create(`objects/killed-${object}`, data, 'image/png');
