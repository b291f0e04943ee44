import { describe, expect, it } from 'vitest';
import { checkedCron, unevenSteps } from '../../client/cron.ts';

describe('a cron expression', () => {
  it.each([
    ['0 22 * * *', '0 22 * * *'],
    [' 0\t22  * * * ', '0 22 * * *'],
    ['*/15 8-18/2 1,15 JAN-mar *', '*/15 8-18/2 1,15 JAN-mar *'],
    ['5/20 3 * * Mon,friday', '5/20 3 * * Mon,friday'],
    ['0 3 * * 5-7', '0 3 * * 5-7'],
    ['05 03 */1 * 1', '05 03 */1 * 1'],
    ['0 3 1-31 * 0', '0 3 1-31 * 0'],
    ['0 3 13 * 0-6', '0 3 13 * 0-6'],
    ['0 3 29 2 *', '0 3 29 2 *'],
    ['0 3 31 4,5 *', '0 3 31 4,5 *'],
    ['@Daily', '@daily'],
    ['@midnight', '@midnight'],
  ])('of five fields, or a macro, is accepted: %j', (text, cron) => expect(checkedCron(text)).toBe(cron));

  it.each([
    ['0 0 22 * * *', /five fields .*found 6, as with seconds: write "0 22 \* \* \*"/],
    ['0 22 * * * 2027', /found 6\. There is no field for years: write "0 22 \* \* \*"/],
    ['0 0 22 * * * 2027', /found 7, as with seconds and a year: write "0 22 \* \* \*"/],
    ['0 22 * *', /five fields .*found 4/],
    ['', /five fields .*found 0/],
    ['every other full moon', /five fields .*found 4/],
  ])('of more or fewer fields is refused, with what was probably meant: %j', (text, message) =>
    expect(() => checkedCron(text)).toThrow(message),
  );

  it.each([
    ['0 3 * * MON#1', /# and what follows as a comment, and would start as for "0 3 \* \* MON"/],
    ['0 3 * * * # nightly', /expected no comment: write "0 3 \* \* \*"/],
    ['0 3 L * *', /day of the month: found L.*"the last"/],
    ['0 3 * * 5L', /day of the week: found 5L.*"the last"/],
    ['0 3 15W * *', /day of the month: found 15W.*nearest weekday/],
    ['0 3 ? * 1', /day of the month: found \?; write \*/],
    ['H 3 * * *', /minute: found H; write a number/],
    ['@every 24h', /@every counts from 1970 in UTC, whatever the time zone: write the hours/],
    ['@reboot', /expected five fields or one of @hourly/],
    ['@fortnightly', /expected five fields or one of @hourly/],
    ['TZ=Europe/Berlin 0 3 * * *', /--cron "0 3 \* \* \*" --time-zone Europe\/Berlin/],
    ['CRON_TZ=Asia/Tokyo 0 3 * * *', /--cron "0 3 \* \* \*" --time-zone Asia\/Tokyo/],
  ])("in another program's notation is refused, with how to write it: %j", (text, message) =>
    expect(() => checkedCron(text)).toThrow(message),
  );

  it.each([
    ['0 24 * * *', /hour: expected 0 to 23; found 24/],
    ['60 3 * * *', /minute: expected 0 to 59; found 60/],
    ['0 3 0 * *', /day of the month: expected 1 to 31; found 0/],
    ['0 3 * 13 *', /month: expected 1 to 12, or jan, .*; found 13/],
    ['0 3 * * 8', /day of the week: expected 0 to 7, or sun, .*; found 8/],
    ['0 3 * * sundae', /day of the week: .*found sundae/],
    ['0 22-6 * * *', /hour: .*found 22-6: write 22-23,0-6/],
    ['0 3 * * FRI-SUN', /found FRI-SUN: write 5-7/],
    ['0 3 * * FRI-MON', /found FRI-MON: write 5-6,0-1/],
    ['0 3 * * 7-2', /found 7-2: write 0-2/],
    ['22:30', /found 1. A time of day is given with --at 22:30/],
    ['*/90 * * * *', /minute: expected a step from 1 to 59, found \*\/90/],
    ['*/0 * * * *', /expected a step from 1 to 59/],
    ['0 3 -1 * *', /day of the month: expected \*, a number/],
    ['0 3 * * 1,', /day of the week: expected \*, a number/],
    ['+5 3 * * *', /minute: expected \*, a number/],
    ['1.5 3 * * *', /minute: expected \*, a number/],
    ['0 3 *-5 * *', /day of the month: found \*-5/],
  ])('with an invalid value is refused with the field and its valid values: %j', (text, message) =>
    expect(() => checkedCron(text)).toThrow(message),
  );

  it.each(['0 3 1 * 1', '0 3 1-7 * MON', '0 3 */2 * 1-5'])(
    'with both kinds of days, which Temporal and cron read differently, is refused: %j',
    (text) => expect(() => checkedCron(text)).toThrow(/Cron starts on days that match either, Temporal only/),
  );

  it.each(['0 0 31 2 *', '0 0 30 feb *', '0 3 31 4,6,9,11 *', '0 0 30-31 2 *'])(
    'that is never due is refused: %j',
    (text) => expect(() => checkedCron(text)).toThrow('is never due'),
  );
});

it.each([
  ['*/7 3 * * *', ['*/7 restarts every hour: the last step is shorter']],
  ['0 */5 * * *', ['*/5 restarts every day: the last step is shorter']],
  ['0 3 */2 * *', ['*/2 restarts every month: the last step is shorter']],
  ['0 3 * * */2', ['*/2 restarts every week: the last step is shorter']],
  ['*/15 */6 */1 */3 *', []],
  ['@daily', []],
])('reports steps that do not divide evenly: %j', (cron, notes) => expect(unevenSteps(cron)).toEqual(notes));
