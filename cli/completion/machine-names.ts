import { SHIPPED_BUNDLES } from '../../models/pixart/installed-bundles.ts';

/** Names that a shell finds on the machine when it completes, without starting this program. */
export const MACHINE_NAMES = ['batch', 'bundle'] as const;

export type MachineNames = (typeof MACHINE_NAMES)[number];

const literal = (path: string): string => `"${path.replaceAll(/["$`\\]/g, '\\$&')}"`;

const LISTED = {
  batch: `ls "\${PIXART_STORE:-out}/batches"`,
  bundle: [
    `IFS=:; for home in $PIXART_BATCH_BUNDLES ${literal(SHIPPED_BUNDLES)}`,
    'do for file in "$home"/*/bundle.json',
    `do folder=\${file%/bundle.json}; echo "\${folder##*/}"`,
    'done',
    'done',
  ].join('; '),
} satisfies Record<MachineNames, string>;

/** Shells expand completions: a folder in a shared store may be called `$(…)`. */
const PLAIN = 'grep -x "[A-Za-z0-9][A-Za-z0-9._-]*"';

/**
 * The command that prints them, a line each: installed bundles, or the batches in the folder that is the default store.
 * It runs `sh`, because loops, and what happens if nothing matches, differ between the shells.
 */
export const namesCommand = (names: MachineNames): string =>
  `sh -c '${`(${LISTED[names]}) 2>/dev/null | ${PLAIN}`.replaceAll("'", `'"'"'`)}'`;
