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

describe('a schedule whose catalog becomes one of another format', () => {
  const workbook = kept(
    {},
    { url: 'gs://art/icons.xlsx', format: 'xlsx', sheet: 'Icons', columns: { prompt: 'Text' } },
  );

  it('keeps a sheet where there are sheets, and names of columns where there are columns', () => {
    const reading = (catalog: string) => changed(workbook, { catalog }).source;
    expect(reading('gs://art/new.xlsx')).toMatchObject({ sheet: 'Icons', columns: { prompt: 'Text' } });
    expect(reading('gs://art/new.csv')).toMatchObject({ format: 'csv', columns: { prompt: 'Text' } });
    expect(reading('gs://art/new.csv')).not.toHaveProperty('sheet');
    expect(reading('gs://art/new.txt')).toMatchObject({ format: 'txt', columns: {} });
  });

  it('loses both where a person takes them away', () => {
    const { source } = changed(workbook, { sheet: null, columns: null });
    expect(source).toMatchObject({ format: 'xlsx', columns: {} });
    expect(source).not.toHaveProperty('sheet');
  });
});

it('what was taken once and is not named is not checked anew', () => {
  const webhook = 'https://hooks.slack.com/services/T0/B0/x';
  const before = kept({ webhook });
  expect(changed(before, { when: { at: '23:00', days: [] }, window: 3 })).toMatchObject({ webhook, window: 3 });
  expect(() => changed(before, { webhook })).toThrow('slack');
});

it('a weight alone is that of the team that is there', () => {
  const before = kept({ team: { name: 'icons', weight: 1 } });
  expect(changed(before, { team: { weight: 2 } }).team).toEqual({ name: 'icons', weight: 2 });
  expect(() => changed(kept({}), { team: { weight: 2 } })).toThrow('--weight: expected --team with it, found none');
  expect(() => changed(before, { team: { weight: 0 } })).toThrow('weight: expected a number');
});

it('the number of a draw is refused where nothing is drawn, and switches no expansion on', () => {
  const expansion = { terms: 'gs://art/terms', sample: 5, sampleSeed: 0, maxPerRow: 1_000 };
  const change = { expansion: { sampleSeed: 7 } };
  expect(changed(kept({}, { expansion }), change).source.expansion).toEqual({ ...expansion, sampleSeed: 7 });
  for (const before of [kept({}), kept({}, { expansion: { ...expansion, sample: null } })]) {
    expect(() => changed(before, change)).toThrow('--sample-seed: expected --sample beside it');
  }
});

it('half of a limit of cost is refused, and says that the environment names nothing', () => {
  const half = { atMost: { cost: { amount: 20 } } };
  expect(() => changed(kept({}), half)).toThrow(
    /--max-cost: expected --cost-per-hour.*PIXART_COST_PER_HOUR is for new/,
  );
  const before = kept({ atMost: { images: 5, cost: { amount: 1, perHour: 2 } } });
  expect(changed(before, half).atMost).toEqual({ images: 5, cost: { amount: 20, perHour: 2 } });
  expect(changed(before, { atMost: null }).atMost).toBeUndefined();
});
