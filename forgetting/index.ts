export { beginForgetting, forgetRows, type Left, stepsOf } from './forget-rows.ts';
export type { Kind } from './kinds.ts';
export { type Sought, type Survey, survey } from './survey.ts';
