import { describe, expect, it } from 'vitest';
import { changedSchedule, type ScheduleChange } from '../../client/changed-schedule.ts';
import type { KeptSchedule } from '../../client/kept-schedule.ts';
import { batchInput } from '../../client/request.ts';
import { options } from '../catalog/planning.ts';

const {
  batch: _,
  round: __,
  ...input
} = batchInput({ catalog: 'gs://art/icons.csv', store: 'gs://art/out', bundle: options.bundle }, 'nightly');

type Input = KeptSchedule['input'];

const kept = (over: Partial<Input>, source: Partial<Input['source']> = {}): KeptSchedule => ({
  input: { ...input, schedule: 'nightly', ...over, source: { ...input.source, ...source } },
  when: 'every day at 22:00',
  timeZone: 'UTC',
  overlap: 'skip',
  catchUpMs: 60_000,
  jitterMs: 0,
  pauseOnFailure: false,
});

const changed = (before: KeptSchedule, change: ScheduleChange): Input => changedSchedule(before, change).wanted.input;

describe('a schedule whose catalog changes its format', () => {
  const workbook = kept(
    {},
    { url: 'gs://art/icons.xlsx', format: 'xlsx', sheet: 'Icons', columns: { prompt: 'Text' } },
  );

  it('keeps the sheet if the new format has sheets, and the column mapping if it has columns', () => {
    const reading = (catalog: string) => changed(workbook, { catalog }).source;
    expect(reading('gs://art/new.xlsx')).toMatchObject({ sheet: 'Icons', columns: { prompt: 'Text' } });
    expect(reading('gs://art/new.csv')).toMatchObject({ format: 'csv', columns: { prompt: 'Text' } });
    expect(reading('gs://art/new.csv')).not.toHaveProperty('sheet');
    expect(reading('gs://art/new.txt')).toMatchObject({ format: 'txt', columns: {} });
  });

  it('drops both if they are removed', () => {
    const { source } = changed(workbook, { sheet: null, columns: null });
    expect(source).toMatchObject({ format: 'xlsx', columns: {} });
    expect(source).not.toHaveProperty('sheet');
  });
});

it('settings that do not change are not checked again', () => {
  const webhook = 'https://hooks.slack.com/services/T0/B0/x';
  const before = kept({ webhook });
  expect(changed(before, { when: { at: '23:00', days: [] }, window: 3 })).toMatchObject({ webhook, window: 3 });
  expect(() => changed(before, { webhook })).toThrow('slack');
});

it('a weight alone changes that of the current team', () => {
  const before = kept({ team: { name: 'icons', weight: 1 } });
  expect(changed(before, { team: { weight: 2 } }).team).toEqual({ name: 'icons', weight: 2 });
  expect(() => changed(kept({}), { team: { weight: 2 } })).toThrow('--weight: expected --team as well, found none');
  expect(() => changed(before, { team: { weight: 0 } })).toThrow('weight: expected a number');
});

it('a sample seed is refused without a sample, and does not turn expansion on', () => {
  const expansion = { terms: 'gs://art/terms', sample: 5, sampleSeed: 0, maxPerRow: 1_000 };
  const change = { expansion: { sampleSeed: 7 } };
  expect(changed(kept({}, { expansion }), change).source.expansion).toEqual({ ...expansion, sampleSeed: 7 });
  for (const before of [kept({}), kept({}, { expansion: { ...expansion, sample: null } })]) {
    expect(() => changed(before, change)).toThrow('--sample-seed: expected --sample as well');
  }
});

it('half of a cost limit is refused, and the error says that the environment does not count', () => {
  const half = { atMost: { cost: { amount: 20 } } };
  expect(() => changed(kept({}), half)).toThrow(
    /--max-cost: expected --cost-per-hour.*PIXART_COST_PER_HOUR applies only to new/,
  );
  const before = kept({ atMost: { images: 5, cost: { amount: 1, perHour: 2 } } });
  expect(changed(before, half).atMost).toEqual({ images: 5, cost: { amount: 20, perHour: 2 } });
  expect(changed(before, { atMost: null }).atMost).toBeUndefined();
});
