import { expect, test } from 'vitest';
import { shareOf } from '../../workers/version-watch.ts';

const own = { deploymentName: 'studio', buildId: '0.3.0' };
const other = { deploymentName: 'studio', buildId: '0.2.0' };

test('an orchestrator that gets no new batch says where they go, and the command that changes it', () => {
  const command = 'temporal worker deployment set-current-version --deployment-name studio --build-id 0.3.0';
  const nobody = shareOf(own, { current: null, ramping: null });
  expect(nobody.level).toBe('warn');
  expect(nobody.message).toContain('they go to orchestrators without a version');
  expect(nobody.message).toContain(command);
  const waiting = shareOf(own, { current: other, ramping: null });
  expect(waiting.level).toBe('info');
  expect(waiting.message).toContain('they go to studio 0.2.0');
  expect(waiting.message).toContain(command);
});

test('one that gets some of them says how many', () => {
  const ramping = { version: own, percentage: 12.5 };
  expect(shareOf(own, { current: other, ramping }).message).toBe('13 % of new batches start on this version');
  expect(shareOf(other, { current: other, ramping }).message).toContain('except 13 % of them');
  expect(shareOf(own, { current: own, ramping: null }).message).toBe('this version is current: new batches start here');
});
