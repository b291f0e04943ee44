import { allowanceOf } from '../workers/allowance.ts';
import { outsideOf } from '../workers/outside.ts';

/** For activities of tests that are not about what a worker may open. */
export const anywhere = outsideOf(allowanceOf(['/']));
