// A program for infra/terraform/check.sh: prints variables for infra/terraform/grants with a member for each part.
import { PARTS } from '../iam/parts.ts';
import { BUCKET, memberOf } from './members.ts';

const members = Object.fromEntries(Object.keys(PARTS).map((part) => [part, [memberOf(part)]]));
console.log(JSON.stringify({ bucket: BUCKET, members }));
