import type { OpenStore } from '../activities/dependencies.ts';
import type { ObjectStore } from '../store/index.ts';
import { currentWatch } from './stage-watch.ts';
import { clockMs } from './tracing/span.ts';

/** The same stores, which tell the activity's watch of the writes of images: objects created, and copies made of them. */
export const watchedStores =
  (openStore: OpenStore): OpenStore =>
  async (...args) =>
    watchedStore(await openStore(...args));

function watchedStore(store: ObjectStore): ObjectStore {
  const told = async <T>(work: Promise<T>): Promise<T> => {
    const startMs = clockMs();
    const result = await work;
    currentWatch()?.stage('store', startMs, clockMs());
    return result;
  };
  const writes: Pick<ObjectStore, 'create' | 'copy'> = {
    create: (name, data, contentType) => told(store.create(name, data, contentType)),
    copy: (from, to) => told(store.copy(from, to)),
  };
  // Whatever else a store can do it does itself, with its own private fields.
  return new Proxy(store, {
    get(target, property) {
      if (property === 'create' || property === 'copy') return writes[property];
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
