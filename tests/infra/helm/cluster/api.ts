/** What of an object of Kubernetes is looked at here. */
export type KubernetesObject = {
  metadata: { name: string; namespace: string; uid: string; deletionTimestamp?: string };
};

const PATCH = 'application/strategic-merge-patch+json';

/** Kubernetes' API, as `kubectl proxy` offers it. */
export class Api {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** @throws Error with what the server said, where it did not take it */
  async #ask(method: string, path: string, body?: unknown, type = 'application/json'): Promise<unknown> {
    const sent = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': type } };
    const response = await fetch(this.#url + path, { method, ...sent });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  }

  get = async <T>(path: string): Promise<T> => (await this.#ask('GET', path)) as T;

  list = async <T>(path: string): Promise<T[]> => (await this.get<{ items: T[] }>(path)).items;

  post = (path: string, body: unknown): Promise<unknown> => this.#ask('POST', path, body);

  patch = (path: string, body: unknown): Promise<unknown> => this.#ask('PATCH', path, body, PATCH);

  /** Of an object for which a schema alone is known, such as KEDA's. */
  merge = (path: string, body: unknown): Promise<unknown> =>
    this.#ask('PATCH', path, body, 'application/merge-patch+json');

  /** At once, as a node does when a pod's processes have ended. */
  remove = (path: string): Promise<unknown> => this.#ask('DELETE', path, { gracePeriodSeconds: 0 });

  /** Whether the server has said that it is ready. */
  isReady = async (): Promise<boolean> => (await fetch(`${this.#url}/readyz`).catch(() => null))?.ok === true;
}
