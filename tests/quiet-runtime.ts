import { DefaultLogger, Runtime } from '@temporalio/worker';

// A process has one, and test files share a process. Failing activities are part of the tests; the SDK would report each.
Runtime.install({ logger: new DefaultLogger('ERROR') });
