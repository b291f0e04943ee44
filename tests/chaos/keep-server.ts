// A program for tests: keeps the server on a file as `dev` does, and says as JSON lines what becomes of it.
import { keepServer } from '../../infra/dev/kept-server.ts';

const [dbFile = ''] = process.argv.slice(2);
// What keeps the server does not keep the process.
setInterval(() => {}, 60_000);

const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

try {
  const server = await keepServer({ dbFile, ui: false }, (told) => say({ told }));
  process.on('SIGTERM', async () => {
    await server.stop();
    process.exit(0);
  });
  const { address, joined, gaveUp } = server;
  say({ address, joined });
  say({ gaveUp: (await gaveUp).message });
} catch (error) {
  say({ failed: (error as Error).message });
  process.exit(1);
}
