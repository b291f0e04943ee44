import { proxyActivities } from '@temporalio/workflow';
import { slidingWindow } from '../../workflows/shard/sliding-window.ts';

/** The minimum for Temporal: activities that do nothing, scheduled by one workflow with a window. */
export async function bare(jobs: number, window: number): Promise<void> {
  const { noop } = proxyActivities<{ noop(job: number): Promise<void> }>({
    taskQueue: 'bare-activities',
    startToCloseTimeout: '1 minute',
  });
  await slidingWindow(Array.from({ length: jobs }).keys(), window, (job) => noop(job));
}
