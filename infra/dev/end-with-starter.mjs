// Loaded with --import into processes that must not outlive their starter. Its end closes our standard input, however it
// came about, kill -9 included; we then end as if we had been told to.
import { isMainThread } from 'node:worker_threads';

// The flag reaches worker threads too, and their standard input is another thing.
if (isMainThread) {
  process.stdin.on('error', () => {});
  process.stdin.on('close', () => process.kill(process.pid, 'SIGTERM'));
  process.stdin.resume();
  process.stdin.unref();
}
