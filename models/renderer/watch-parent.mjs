// Runs in a thread of the renderer child. While a graph runs, the child's own event loop stands still, so it would learn
// only after the step that its parent was killed; until then it would hold the device that the parent's successor needs.
// Plain JavaScript: a thread runs it as it stands here, beside the program.
const parent = process.ppid;

setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
}, 500);
