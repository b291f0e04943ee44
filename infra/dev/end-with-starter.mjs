// Loaded with --import into processes that must not outlive the process that started them. When that one dies, even
// from kill -9, our standard input closes; we then stop as if we had been asked to.
import { isMainThread } from 'node:worker_threads';

// The flag applies to worker threads too, whose standard input is a different stream.
if (isMainThread) {
  process.stdin.on('error', () => {});
  process.stdin.on('close', () => process.kill(process.pid, 'SIGTERM'));
  process.stdin.resume();
  process.stdin.unref();
}
