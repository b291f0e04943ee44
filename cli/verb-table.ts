import type { Verb } from './verb.ts';

/**
 * In the order in which help lists them. A command is loaded once it is asked for: all of them take a second of processor time. That is why
 * what they are for is said here.
 */
export const VERBS: Record<string, Verb> = {
  plan: {
    description: 'check a catalog and show what it would render; nothing is written and no server is needed',
    load: async () => (await import('./verbs/plan.ts')).planCommand(),
  },
  submit: {
    description: 'check a catalog and start a batch of it; nothing is written or started unless all of it is right',
    load: async () => (await import('./verbs/submit.ts')).submitCommand(),
  },
  watch: {
    description: 'show the progress of a batch until it has ended',
    load: async () => (await import('./verbs/watch.ts')).watchCommand(),
  },
  status: {
    description: 'how far a batch is, once',
    load: async () => (await import('./verbs/status.ts')).statusCommand(),
  },
  list: {
    description: 'the batches that Temporal remembers, newest first',
    load: async () => (await import('./verbs/list.ts')).listCommand(),
  },
  pause: {
    description: 'let a batch start no more images until it is resumed',
    load: async () => (await import('./verbs/pause.ts')).pauseCommand(),
  },
  resume: {
    description: 'let a paused batch go on',
    load: async () => (await import('./verbs/resume.ts')).resumeCommand(),
  },
  window: {
    description: 'change how many images of a batch are in flight at once',
    load: async () => (await import('./verbs/window.ts')).windowCommand(),
  },
  priority: {
    description: 'have a batch rendered before or after others',
    load: async () => (await import('./verbs/priority.ts')).priorityCommand(),
  },
  cancel: {
    description: 'stop a batch; what is finished stays',
    load: async () => (await import('./verbs/cancel.ts')).cancelCommand(),
  },
  retry: {
    description:
      'render what a batch that has ended lacks: failed rows, those a cancellation left out, rejected images',
    load: async () => (await import('./verbs/retry.ts')).retryCommand(),
  },
  export: {
    description:
      'hand out approved pictures: to a folder, a bucket or a zip file, in sizes and formats, cut out, as sprite sheets',
    load: async () => (await import('./verbs/export.ts')).exportCommand(),
  },
  report: {
    description: 'what a batch that has ended took, what that cost, and why images are missing',
    load: async () => (await import('./verbs/report.ts')).reportCommand(),
  },
  verify: {
    description: 'compare the images of a batch that has ended with what its manifest says of them',
    load: async () => (await import('./verbs/verify.ts')).verifyCommand(),
  },
  audit: {
    description: 'who submitted, changed, retried, scheduled or removed what',
    load: async () => (await import('./verbs/audit.ts')).auditCommand(),
  },
  clean: {
    description: 'remove old batches and what no batch needs from a store; without --yes only say what would go',
    load: async () => (await import('./verbs/clean.ts')).cleanCommand(),
  },
  forget: {
    description: 'remove prompts and their pictures from the store and the server',
    load: async () => (await import('./verbs/forget.ts')).forgetCommand(),
  },
  schedule: {
    description: 'batches that start by the clock',
    load: async () => (await import('./verbs/schedule/schedule.ts')).scheduleCommand(),
  },
  render: {
    description: 'make one image here and now; no Temporal needed',
    load: async () => (await import('./verbs/render/render.ts')).renderCommand(),
  },
  inspect: {
    description: 'print what made an image, as the file itself says it',
    load: async () => (await import('./verbs/inspect.ts')).inspectCommand(),
  },
  worker: {
    description: 'run workflows, render images, encode texts, or all of it, until told to stop',
    load: async () => (await import('./verbs/worker.ts')).workerCommand(),
  },
  dev: {
    description: 'run a Temporal server with its UI, an orchestrator and a render worker here, until Ctrl-C',
    load: async () => (await import('./verbs/dev.ts')).devCommand(),
  },
  server: {
    description:
      'run the Temporal server of "dev" alone, for workers that are started apart from it, until told to stop',
    load: async () => (await import('./verbs/server.ts')).serverCommand(),
  },
  start: {
    description: 'render the example catalog here, with everything that it needs, and stop',
    load: async () => (await import('./verbs/start.ts')).startCommand(),
  },
  'codec-server': {
    description:
      "decrypt for Temporal's UI and command line what encrypted batches keep on the Temporal server, until Ctrl-C",
    load: async () => (await import('./verbs/codec-server.ts')).codecServerCommand(),
  },
  'upgrade-server': {
    description: 'move the state folder of "dev" and "start", with its schedules, to a newer Temporal server',
    load: async () => (await import('./verbs/upgrade-server.ts')).upgradeServerCommand(),
  },
  doctor: {
    description: 'what is missing on this machine, and how to get it',
    load: async () => (await import('./verbs/doctor/doctor.ts')).doctorCommand(),
  },
  encryption: {
    description: 'keys that keep prompts from whoever can read the Temporal server',
    load: async () => (await import('./verbs/encryption.ts')).encryptionCommand(),
  },
  completion: {
    description: 'print a script with which a shell completes verbs and options: bash, zsh or fish',
    load: async () => (await import('./verbs/completion.ts')).completionCommand(VERBS),
  },
  bundle: {
    description: 'the models on this machine',
    load: async () => (await import('./verbs/bundle.ts')).bundleCommand(),
  },
};
