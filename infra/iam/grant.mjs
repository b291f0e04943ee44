#!/usr/bin/env node
// Prints what each part of a fleet may do, and the commands that grant it (infra/iam/README.md). Changes nothing itself.
// Plain Node.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const USAGE = `Usage: node infra/iam/grant.mjs                                  what each part may do
       node infra/iam/grant.mjs roles <project>                  commands that create the roles, once for each project
       node infra/iam/grant.mjs <part> <gs://bucket/prefix> <member> <project>
                                                                 commands that bind them to one part

Example:
  $ node infra/iam/grant.mjs renderer gs://studio/images serviceAccount:renderer@studio.iam.gserviceaccount.com studio | bash
`;

/** @typedef {{ who: string, bucket: Record<string, string[]>, namespace: string[] }} Part */

/** @type {Record<string, Part>} */
const parts = JSON.parse(readFileSync(new URL('parts.json', import.meta.url), 'utf8'));

/** @param {string} permission such as storage.objects.get */
const verbOf = (permission) => permission.split('.').at(-1) ?? '';

/** @param {string} permission */
const roleOf = (permission) => `pixartBatch${verbOf(permission).replace(/^./, (first) => first.toUpperCase())}`;

/**
 * The conditions, one for each place, under which an object is in that place; `null` for a permission on the whole
 * bucket. `*` stands for anything: a place without one is a name, with one at its end a prefix, and with one in its
 * middle a prefix and a suffix. With two, the text between them has to occur.
 *
 * @param {string} bucket
 * @param {string} prefix the store's, empty or ending in `/`
 * @param {string[]} places
 */
function conditionOf(bucket, prefix, places) {
  if (places.includes('*')) return null;
  const root = `projects/_/buckets/${bucket}/objects/${prefix}`;
  return places.map((place) => {
    if (!place.includes('*')) return `resource.name == "${root}${place}"`;
    const [start = '', middle = '', ...more] = place.split('*');
    const begins = `resource.name.startsWith("${root}${start}")`;
    if (middle === '') return begins;
    return more.length === 0
      ? `(${begins} && resource.name.endsWith("${middle}"))`
      : `(${begins} && resource.name.extract("${root}${start}{any}${middle}") != "")`;
  });
}

/** @param {string} text */
const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

/** Cloud Storage allows a dozen logical operators in a condition. */
const PLACES_IN_A_CONDITION = 5;

/**
 * @param {Part} part
 * @param {string} bucket
 * @param {string} prefix
 * @param {string} member
 * @param {string} project
 */
function* bindings({ bucket: permissions }, bucket, prefix, member, project) {
  if (Object.keys(permissions).length === 0) yield '# This part needs nothing on the bucket.';
  for (const [permission, places] of Object.entries(permissions)) {
    const command =
      `gcloud storage buckets add-iam-policy-binding gs://${bucket} --member=${quoted(member)} ` +
      `--role=projects/${project}/roles/${roleOf(permission)}`;
    const conditions = conditionOf(bucket, prefix, places);
    if (conditions === null) {
      yield `${command} --condition=None`;
      continue;
    }
    for (let from = 0; from < conditions.length; from += PLACES_IN_A_CONDITION) {
      const expression = conditions.slice(from, from + PLACES_IN_A_CONDITION).join(' || ');
      const title = `pixart-batch ${verbOf(permission)}${from === 0 ? '' : ` ${1 + from / PLACES_IN_A_CONDITION}`}`;
      yield `${command} --condition=${quoted(`expression=${expression},title=${title}`)}`;
    }
  }
}

function* table() {
  for (const [name, { who, bucket, namespace }] of Object.entries(parts)) {
    yield `${name}: ${who}`;
    for (const [permission, places] of Object.entries(bucket)) {
      yield `  ${permission.padEnd(22)}  ${places.includes('*') ? 'the bucket' : places.join('  ')}`;
    }
    yield `  calls                   ${namespace.join(' ')}`;
    yield '';
  }
}

function* roles(/** @type {string} */ project) {
  const used = new Set(Object.values(parts).flatMap(({ bucket }) => Object.keys(bucket)));
  for (const permission of used) {
    yield `gcloud iam roles create ${roleOf(permission)} --project=${project} --file=infra/iam/roles/${verbOf(permission)}.yaml`;
  }
}

/** @param {string[]} args */
function linesFor([what, store, member, project]) {
  if (what === undefined) return table();
  if (what === 'roles' && store !== undefined) return roles(store);
  const part = Object.hasOwn(parts, what) ? parts[what] : undefined;
  const [, bucket, prefix] = /^gs:\/\/([a-z0-9._-]+)(?:\/(.*?)\/?)?$/.exec(store ?? '') ?? [];
  if (part === undefined || bucket === undefined || member === undefined || project === undefined) return null;
  return bindings(part, bucket, prefix ? `${prefix}/` : '', member, project);
}

const { positionals, values } = parseArgs({ allowPositionals: true, options: { help: { type: 'boolean' } } });
const lines = values.help ? [USAGE] : linesFor(positionals);
if (lines === null) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  process.stdout.write(`${[...lines].join('\n')}\n`);
}
