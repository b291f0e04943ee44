import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterFleet } from './fleet.ts';
import { type Observe, observeUntil, say } from './observe.ts';

const RENDER = 'render-fox-512';
const RENDER_LARGER = 'render-fox-1024';
const ENCODE = 'encode-fox';

/** Longer than `cooldownSeconds` of the check's values and the next looks of KEDA and of the autoscaler together. */
const longerThanCooldown = (): Promise<void> => sleep(20_000);

/** Watches what KEDA makes of batches: a worker for two pictures (`imagesPerWorker`), three workers at most (`maxReplicas`). */
export async function watchScaling(fleet: ClusterFleet, observe: Observe): Promise<void> {
  const pods = (part: string, expected: number, withinSeconds?: number) =>
    observe(`pods of ${part}`, expected, () => fleet.pods(part), withinSeconds);
  const images = fleet.queues.images('512');
  const larger = fleet.queues.images('1024');

  await observe('orchestrators that are ready', 2, () => fleet.ready('orchestrator'), 180);
  const all = (status: string) => ({ [ENCODE]: status, [RENDER_LARGER]: status, [RENDER]: status });
  await observe('KEDA calls its ScaledObjects ready', all('True'), () => fleet.condition('Ready'));

  say('there is no work');
  for (const part of [RENDER, RENDER_LARGER, ENCODE]) await pods(part, 0);

  say('three pictures');
  await fleet.submit('first', 3, '512', 200);
  await pods(RENDER, 2);
  await pods(ENCODE, 1);
  await pods(RENDER_LARGER, 0);
  await observe('the batch', '3 rendered', () => fleet.end('first'), 300);
  for (const part of [RENDER, ENCODE]) await pods(part, 0, 120);

  say('twenty pictures, paused while the first are in hand');
  await fleet.submit('paused', 20, '512', 200);
  await pods(RENDER, 3);
  await fleet.untilInHand('paused');
  await fleet.control('paused', 'pause');
  await observe('wanted, when what was in hand is done', 0, () => fleet.wanted(images), 300);
  const waiting = `${20 - (await fleet.rendered('paused'))} of 20 wait`;
  console.log(`${waiting}; KEDA's own temporal scaler would see ${await fleet.backlog(images)}`);
  await pods(RENDER, 0, 120);
  await observeUntil(`pods of ${RENDER}`, 0, () => fleet.pods(RENDER), longerThanCooldown());

  say('it is resumed');
  await fleet.control('paused', 'resume');
  await pods(RENDER, 3);
  await observe('the batch', '20 rendered', () => fleet.end('paused'), 600);
  await pods(RENDER, 0, 120);

  say('the last picture');
  await fleet.submit('last', 1, '1024', 200);
  await pods(RENDER_LARGER, 1);
  await fleet.untilInHand('last');
  console.log(`it is in hand; KEDA's own temporal scaler would see ${await fleet.backlog(larger)}`);
  await observeUntil(`pods of ${RENDER_LARGER}`, 1, () => fleet.pods(RENDER_LARGER), fleet.untilUnwanted(larger));
  await pods(RENDER_LARGER, 0, 120);

  say('nobody can say how much is wanted');
  await fleet.submit('unknown', 1, '1024', 200);
  await fleet.untilInHand('unknown');
  await fleet.scale('orchestrator', 0);
  await pods('orchestrator', 0);
  await observe('KEDA calls its ScaledObjects ready', all('False'), () => fleet.condition('Ready'));
  await observeUntil(`pods of ${RENDER_LARGER}`, 1, () => fleet.pods(RENDER_LARGER), longerThanCooldown());
  await fleet.scale('orchestrator', 2);
  await observe('the batch', '1 rendered', () => fleet.end('unknown'), 600);
  await pods(RENDER_LARGER, 0, 120);
}
