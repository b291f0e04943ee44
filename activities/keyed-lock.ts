import { Mutex } from 'async-mutex';
import { takeTurn } from '../models/renderer/index.ts';

/**
 * Waits until nobody else has the key, first come, first served, or until the signal is aborted.
 *
 * @returns the function that releases the key
 * @throws the signal's reason
 */
type KeyedLock = (key: string, signal: AbortSignal) => Promise<() => void>;

export function createKeyedLock(): KeyedLock {
  const locks = new Map<string, { mutex: Mutex; users: number }>();

  return async (key, signal) => {
    const lock = locks.get(key) ?? { mutex: new Mutex(), users: 0 };
    locks.set(key, lock);
    lock.users += 1;
    const leave = (): void => {
      lock.users -= 1;
      if (lock.users === 0) locks.delete(key);
    };
    try {
      const release = await takeTurn(lock.mutex, signal);
      return () => {
        release();
        leave();
      };
    } catch (error) {
      leave();
      throw error;
    }
  };
}
