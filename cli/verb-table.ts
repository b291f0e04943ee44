import type { Verb } from './verb.ts';

/**
 * In the order of `--help`. Descriptions are here because a command is only loaded when it is used: loading all of them takes a
 * second of CPU time.
 */
export const VERBS: Record<string, Verb> = {
  plan: {
    description: 'check a catalog and show what it would render; writes nothing and needs no server',
    load: async () => (await import('./verbs/plan.ts')).planCommand(),
  },
  submit: {
    description: 'check a catalog and start a batch; writes and starts nothing unless the whole catalog is valid',
    load: async () => (await import('./verbs/submit.ts')).submitCommand(),
  },
  watch: {
    description: 'show the progress of a batch until it ends',
    load: async () => (await import('./verbs/watch.ts')).watchCommand(),
  },
  status: {
    description: 'show the progress of a batch once',
    load: async () => (await import('./verbs/status.ts')).statusCommand(),
  },
  list: {
    description: 'list the batches that Temporal remembers, newest first',
    load: async () => (await import('./verbs/list.ts')).listCommand(),
  },
  pause: {
    description: 'pause a batch: it starts no more images until it is resumed',
    load: async () => (await import('./verbs/pause.ts')).pauseCommand(),
  },
  resume: {
    description: 'resume a paused batch',
    load: async () => (await import('./verbs/resume.ts')).resumeCommand(),
  },
  window: {
    description: 'change how many images of a batch are in flight at once',
    load: async () => (await import('./verbs/window.ts')).windowCommand(),
  },
  priority: {
    description: 'render a batch before or after others',
    load: async () => (await import('./verbs/priority.ts')).priorityCommand(),
  },
  cancel: {
    description: 'stop a batch; finished images stay',
    load: async () => (await import('./verbs/cancel.ts')).cancelCommand(),
  },
  retry: {
    description: 'render what an ended batch lacks: failed rows, cancelled rows, rejected images',
    load: async () => (await import('./verbs/retry.ts')).retryCommand(),
  },
  export: {
    description:
      'write approved images to a folder, a bucket or a zip file: resized, converted, cut out, or as sprite sheets',
    load: async () => (await import('./verbs/export.ts')).exportCommand(),
  },
  report: {
    description: 'show how long an ended batch took, what it cost, and why images are missing',
    load: async () => (await import('./verbs/report.ts')).reportCommand(),
  },
  verify: {
    description: 'compare the images of an ended batch with its manifest',
    load: async () => (await import('./verbs/verify.ts')).verifyCommand(),
  },
  audit: {
    description: 'show who submitted, changed, retried, scheduled or removed what',
    load: async () => (await import('./verbs/audit.ts')).auditCommand(),
  },
  clean: {
    description:
      'remove old batches, and files that no batch needs, from a store; without --yes only show what would go',
    load: async () => (await import('./verbs/clean.ts')).cleanCommand(),
  },
  forget: {
    description: 'remove prompts and their images from the store and the server',
    load: async () => (await import('./verbs/forget.ts')).forgetCommand(),
  },
  schedule: {
    description: 'run batches on a schedule',
    load: async () => (await import('./verbs/schedule/schedule.ts')).scheduleCommand(),
  },
  render: {
    description: 'render one image here and now, without Temporal',
    load: async () => (await import('./verbs/render/render.ts')).renderCommand(),
  },
  inspect: {
    description: 'print how an image was made, as its file records it',
    load: async () => (await import('./verbs/inspect.ts')).inspectCommand(),
  },
  worker: {
    description: 'run workflows, render images, encode texts, or all of these, until stopped',
    load: async () => (await import('./verbs/worker/worker.ts')).workerCommand(),
  },
  dev: {
    description: 'run a Temporal server with its UI, an orchestrator and a render worker on this machine, until Ctrl-C',
    load: async () => (await import('./verbs/dev.ts')).devCommand(),
  },
  server: {
    description: 'run only the Temporal server of "dev", for workers that are started separately, until stopped',
    load: async () => (await import('./verbs/server.ts')).serverCommand(),
  },
  start: {
    description: 'start everything the example catalog needs on this machine, render it, and stop',
    load: async () => (await import('./verbs/start.ts')).startCommand(),
  },
  'codec-server': {
    description: "decrypt the payloads of encrypted batches for Temporal's UI and command line, until Ctrl-C",
    load: async () => (await import('./verbs/codec-server.ts')).codecServerCommand(),
  },
  'upgrade-server': {
    description: 'move the state folder of "dev" and "start", with its schedules, to a newer Temporal server',
    load: async () => (await import('./verbs/upgrade-server.ts')).upgradeServerCommand(),
  },
  doctor: {
    description: 'show what this machine lacks, and how to get it',
    load: async () => (await import('./verbs/doctor/doctor.ts')).doctorCommand(),
  },
  encryption: {
    description: 'make keys that keep prompts from anyone who can read the Temporal server',
    load: async () => (await import('./verbs/encryption.ts')).encryptionCommand(),
  },
  completion: {
    description: 'print a completion script for bash, zsh or fish',
    load: async () => (await import('./verbs/completion.ts')).completionCommand(VERBS),
  },
  bundle: {
    description: 'show and verify the models on this machine',
    load: async () => (await import('./verbs/bundle.ts')).bundleCommand(),
  },
};
