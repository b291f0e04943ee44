import type { openStore } from '../store/index.ts';

export type OpenStore = typeof openStore;
