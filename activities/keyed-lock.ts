import { Mutex } from 'async-mutex';
import { takeTurn } from '../models/renderer/index.ts';

/** Runs tasks of one key one after the other, those of different keys side by side. */
export type KeyedLock = <T>(key: string, signal: AbortSignal, task: () => Promise<T>) => Promise<T>;

export function createKeyedLock(): KeyedLock {
  const locks = new Map<string, { mutex: Mutex; users: number }>();

  return async (key, signal, task) => {
    const lock = locks.get(key) ?? { mutex: new Mutex(), users: 0 };
    locks.set(key, lock);
    lock.users += 1;
    try {
      const release = await takeTurn(lock.mutex, signal);
      return await task().finally(release);
    } finally {
      lock.users -= 1;
      if (lock.users === 0) locks.delete(key);
    }
  };
}
