import { expect, test } from 'vitest';
import { EXIT, exitCodeOf } from '../../cli/exit-codes.ts';
import { UserError } from '../../domain/user-error.ts';
import { gcsError } from '../../store/gcs-errors.ts';

const explain = (error: unknown) =>
  gcsError('gs://b/p', 'b', { what: 'create a', permissions: 'storage.objects.create' }, error);

test('keeps addresses of upload sessions and access tokens out of messages and causes', () => {
  const thrown = Object.assign(
    new Error(
      'request to https://storage.googleapis.com/upload/b?upload_id=SECRET failed, reason: reset\nBearer SECRET',
    ),
    { code: 'ECONNRESET', config: { headers: { Authorization: 'Bearer SECRET' } } },
  );
  const error = explain(thrown);
  expect(error.message).toBe(
    'store gs://b/p: could not create a: request to https://storage.googleapis.com/… failed, reason: reset',
  );
  expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('SECRET');
  expect(error.cause).toBeUndefined();
});

test.each([[{ code: 404 }], [{ code: 403 }], [{ code: 401 }], [new Error('invalid_grant')]])(
  'denied access to a store (%s) is for a person to fix, and the command line exits with the code for that',
  (thrown) => {
    expect(explain(thrown)).toBeInstanceOf(UserError);
    expect(exitCodeOf(explain(thrown))).toBe(EXIT.badInput);
  },
);

test.each([
  ['status in code', { code: 404 }, 'UserError', /bucket "b" does not exist/],
  ['status as text', { code: '403', message: 'no' }, 'UserError', /needs storage.objects.create/],
  ['status in the response', { response: { status: 401 }, message: 'who?' }, 'UserError', /access denied \(401\)/],
  [
    'no credentials',
    new Error('Could not load the default credentials.'),
    'UserError',
    /gcloud auth application-default/,
  ],
  ['an expired login', new Error('invalid_grant'), 'UserError', /gcloud auth application-default/],
  ['too many requests', { code: 429, message: 'slow down' }, 'StoreUnavailable', /status 429, slow down/],
  ['a broken connection', Object.assign(new Error('reset'), { code: 'ECONNRESET' }), 'StoreUnavailable', /: reset$/],
])('reports %s with the right error', (_, thrown, name, message) => {
  const error = explain(thrown);
  expect(error.name).toBe(name);
  expect(error.message).toMatch(message);
});

test('names the missing permission and where to find roles, even if the whole response is the message', () => {
  const message =
    "renderer@studio.iam.gserviceaccount.com does not have storage.objects.get access to the Google Cloud Storage object. Permission 'storage.objects.get' denied on resource (or it may not exist).";
  for (const said of [message, JSON.stringify({ error: { code: 403, message } })]) {
    expect(explain({ code: 403, message: said }).message).toBe(
      'store gs://b/p: could not create a: access denied (403); the account needs storage.objects.get on bucket "b", as in the role Storage ' +
        `Object User or in the role for its part of the fleet (infra/iam/README.md). Cloud Storage said: ${message}`,
    );
  }
  expect(explain({ code: 403, message: '{ no JSON' }).message).toMatch(/Cloud Storage said: \{ no JSON$/);
});
