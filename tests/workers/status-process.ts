import { pino } from 'pino';
import type { ServedBy } from '../../connection/worker-connection.ts';
import { startStatus } from '../../workers/status.ts';

// A worker of two parts that only says how it is, at the address that it is given, until a second signal. A line on
// standard input makes a part ready.
const status = await startStatus(process.argv[2], {
  ...{ parts: 2, counts: false, keyring: null, log: pino({ level: 'silent' }) },
  // Asked only by those that count.
  server: null as unknown as ServedBy,
});
process.stdin.on('data', () => {
  status.ready();
  console.log('a part is ready');
});
console.log('answers');
