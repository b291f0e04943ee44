import { describe, expect, it } from 'vitest';
import { knownTimeZone, offsetChanges, offsetText, zonedText } from '../../domain/time-zone.ts';

describe('a time zone', () => {
  it.each([
    ['Europe/Berlin', 'Europe/Berlin'],
    ['europe/berlin', 'Europe/Berlin'],
    ['utc', 'UTC'],
    ['CET', 'CET'],
    ['US/Eastern', 'US/Eastern'],
  ])('is normalized to the spelling that the server knows: %s', (name, zone) => expect(knownTimeZone(name)).toBe(zone));

  it.each([
    ['Berlin', /expected a name such as Europe\/Berlin or UTC, found "Berlin"\. Did you mean Europe\/Berlin\?/],
    ['new york', /Did you mean America\/New_York\?/],
    ['CEST', /expected a name such as Europe\/Berlin or UTC, found "CEST"$/],
    ['GMT+2', /found "GMT\+2"/],
    ['Local', /found "Local"/],
    ['', /found ""/],
  ])('that does not exist is rejected, with a suggestion if there is one: %s', (name, message) =>
    expect(() => knownTimeZone(name)).toThrow(message),
  );

  it.each([
    ['Europe/Berlin', '2026-12-01T21:00:00Z', '2026-12-01 22:00 +01:00'],
    ['Asia/Kathmandu', '2026-12-01T21:00:00Z', '2026-12-02 02:45 +05:45'],
    ['America/St_Johns', '2027-07-01T01:00:00Z', '2027-06-30 22:30 -02:30'],
    ['UTC', '2026-12-01T21:00:00Z', '2026-12-01 21:00 +00:00'],
  ])('has times that are shown with their offset from UTC: %s', (zone, time, text) =>
    expect(zonedText(new Date(time), zone)).toBe(text),
  );

  it.each([
    ['Europe/Berlin', ['2027-03-28T01:00:00Z +01:00 +02:00', '2027-10-31T01:00:00Z +02:00 +01:00']],
    ['America/Santiago', ['2027-04-04T03:00:00Z -03:00 -04:00', '2027-09-05T04:00:00Z -04:00 -03:00']],
    ['Australia/Lord_Howe', ['2027-04-03T15:00:00Z +11:00 +10:30', '2027-10-02T15:30:00Z +10:30 +11:00']],
    ['UTC', []],
    ['Asia/Tokyo', []],
  ])('has clock changes in the next year that are found to the minute: %s', (zone, expected) => {
    const changes = offsetChanges(zone, new Date('2026-12-01T00:00:00Z'), new Date('2027-12-01T00:00:00Z'));
    expect(
      changes.map(
        ({ at, before, after }) => `${at.toISOString().replace('.000', '')} ${offsetText(before)} ${offsetText(after)}`,
      ),
    ).toEqual(expected);
  });
});
