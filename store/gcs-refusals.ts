import { ObjectKept, StoreDenied, StoreUnavailable } from './object-store.ts';

/** An error response of Cloud Storage. */
type Refusal = {
  status: number | undefined;
  /** Cloud Storage's own name for it; `''` if it gave none. */
  reason: string;
  /** Its message, without secrets. */
  said: string;
};

/** What was being done; `where` is such as `store gs://b: could not write a`. */
type Attempted = { where: string; bucket: string; permissions: string };

type Kind = { reasons?: string[]; said?: RegExp; error: (attempted: Attempted, refusal: Refusal) => Error };

/** An error for a person to fix, with advice. */
const denied =
  (advice: (attempted: Attempted) => string) =>
  (attempted: Attempted, { said }: Refusal): Error =>
    new StoreDenied(`${attempted.where}: ${advice(attempted)}. Cloud Storage said: ${said}`);

const kept =
  (why: (refusal: Refusal) => string) =>
  ({ where }: Attempted, refusal: Refusal): Error =>
    new ObjectKept(where, why(refusal));

/**
 * Refusals other than a missing role, though many of them are 403 too. Reasons are those of Cloud Storage's JSON API.
 * The message decides if a library passes on nothing else, or if the service is known to give another reason than
 * documented (a hold: `forbidden`, not `objectUnderActiveHold`; a requester that names no project: `required`, not
 * `userProjectMissing`). Sources: docs/measurements/store.md.
 */
const KINDS: Kind[] = [
  {
    reasons: ['retentionPolicyNotMet'],
    said: /subject to (the )?bucket's retention policy/,
    error: kept(({ said }) => {
      const [, until] = /until (\S+)/.exec(said) ?? [];
      return `a retention policy keeps what is there${until === undefined ? '' : ` until ${until}`}`;
    }),
  },
  {
    reasons: ['objectUnderActiveHold'],
    said: /under active \S+ hold/,
    error: kept(({ said }) => {
      const kind = /active (Temporary|Event-Based) hold/.exec(said)?.[1] ?? '';
      const hold = { Temporary: 'a temporary hold', 'Event-Based': 'an event-based hold' }[kind] ?? 'a hold';
      return `${hold} keeps what is there until somebody releases it`;
    }),
  },
  {
    said: /does not have storage\.objects\.delete access/,
    error: kept(() => 'this account may create objects but not replace or remove them (storage.objects.delete)'),
  },
  {
    reasons: ['userProjectMissing'],
    said: /requester pays bucket but no user project/i,
    error: denied(
      ({ bucket }) =>
        `bucket "${bucket}" is a requester-pays bucket: name the project to bill with --user-project or PIXART_USER_PROJECT, on workers too`,
    ),
  },
  {
    reasons: ['userProjectAccessDenied', 'USER_PROJECT_DENIED'],
    said: /serviceusage\.services\.use/,
    error: denied(
      () =>
        'the account may not bill the project of --user-project (or its own quota project); it needs the role Service Usage Consumer on that project',
    ),
  },
  {
    reasons: ['userProjectInvalid', 'userProjectInconsistent'],
    said: /user project\b.*\binvalid/i,
    error: denied(() => '--user-project or PIXART_USER_PROJECT: expected the id of a project that exists'),
  },
  {
    reasons: ['accountDisabled', 'billingNotEnabled', 'projectAccountClosed'],
    said: /billing account\b.*\bdisabled/i,
    error: denied(() => 'billing is disabled on the project that pays; enable it'),
  },
  {
    reasons: ['orgPolicyConstraintFailed'],
    said: /violates constraint|vpcServiceControls|organization's policy/i,
    error: denied(() => "a policy of the bucket's organization forbids it; ask the policy's administrator"),
  },
  {
    said: /Cloud KMS key/,
    error: denied(
      () =>
        "the bucket's encryption key cannot be used; grant Cloud Storage's service agent the use of it, and check that it is enabled",
    ),
  },
  {
    said: /uniform bucket-level access/i,
    error: denied(
      ({ permissions, bucket }) =>
        `bucket "${bucket}" has uniform bucket-level access, which ignores ACLs of objects; grant ${permissions} on the bucket`,
    ),
  },
  {
    reasons: ['rateLimitExceeded', 'userRateLimitExceeded', 'quotaExceeded'],
    error: ({ where }, { status, said }) => new StoreUnavailable(`${where}: status ${status}, ${said}`),
  },
];

/** The error for a refusal that is recognised by more than its status; `null` for any other. */
export function knownRefusal(attempted: Attempted, refusal: Refusal): Error | null {
  const { status = 0, reason, said } = refusal;
  if (status < 400 || status >= 500) return null;
  const kind = KINDS.find(
    ({ reasons, said: pattern }) => reasons?.includes(reason) === true || pattern?.test(said) === true,
  );
  return kind?.error(attempted, refusal) ?? null;
}
