// A program for infra/terraform/check.sh: checks that Terraform creates the roles and bindings for which
// infra/iam/grant.mjs prints commands.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PARTS } from '../iam/parts.ts';
import { BUCKET, memberOf } from './members.ts';

type Binding = { role: string; member: string; title: string; expression: string | null };
type Outputs = { roles: { value: Record<string, string> }; bindings: { value: Record<string, Binding> } };

const IAM = new URL('../../../infra/iam/', import.meta.url);

const printed = (...args: string[]): string[] =>
  execFileSync(process.execPath, [fileURLToPath(new URL('grant.mjs', IAM)), ...args], { encoding: 'utf8' })
    .trim()
    .split('\n')
    // A part that needs nothing on the bucket gets a comment.
    .filter((line) => !line.startsWith('#'));

const commandOf = ({ role, member, title, expression }: Binding): string =>
  `gcloud storage buckets add-iam-policy-binding gs://${BUCKET} --member='${member}' --role=projects/my-project/roles/${role} ` +
  `--condition=${expression === null ? 'None' : `'expression=${expression},title=${title}'`}`;

const { roles, bindings } = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as Outputs;

const commands = Object.keys(PARTS).flatMap((part) => printed(part, `gs://${BUCKET}`, memberOf(part), 'my-project'));
assert.deepEqual(Object.values(bindings.value).map(commandOf).sort(), commands.sort(), 'bindings');

const made = printed('roles', 'my-project').map((command) => {
  const [, role = '', file = ''] = /create (\w+) .*--file=infra\/iam\/(.*)$/.exec(command)!;
  const [, permission] = /^\s*-\s*(\S+)$/m.exec(readFileSync(new URL(file, IAM), 'utf8'))!;
  return [role, permission];
});
assert.deepEqual(roles.value, Object.fromEntries(made), 'roles');
console.log(`${made.length} roles and ${commands.length} bindings match infra/iam/grant.mjs`);
