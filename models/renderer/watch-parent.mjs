// Runs in a thread of the renderer child. While a graph runs, the child's own event loop stands still, so it would learn
// only after the step that its parent was killed; until then it would hold the device that the parent's successor needs.
// Plain JavaScript, because Node 20 does not apply a loader such as tsx to threads.
const parent = process.ppid;

setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
}, 500);
