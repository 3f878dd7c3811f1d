// The cabinet: what a device keeps between visits, in IndexedDB. One store, a handful of named places, structured clones.
// A CryptoKey kept here stays non-extractable: what is stored is a handle that only this origin can use.

const database = "parley";
const shelf = "cabinet";

export interface Cabinet {
  get<T>(name: string): Promise<T | undefined>;
  /** all gives what is kept under names with this beginning. */
  all<T>(prefix: string): Promise<[name: string, value: T][]>;
  /** put is kept through a crash; relaxed, for what can be had again, it is written when the browser likes. */
  put(name: string, value: unknown, durability?: "strict" | "relaxed"): Promise<void>;
  /** putIfAbsent keeps what was there first and returns what is kept: two tabs that start together share one value. */
  putIfAbsent<T>(name: string, value: T): Promise<T>;
  remove(name: string): Promise<void>;
}

function wait<T>(r: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    r.onsuccess = () => resolve(r.result);
    r.onerror = () => reject(r.error ?? new Error("indexeddb"));
  });
}

function done(tx: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    tx.oncomplete = () => resolve();
    tx.onabort = tx.onerror = () => reject(tx.error ?? new Error("indexeddb"));
  });
}

/** openCabinet opens the device's own store and asks the browser not to clear it. */
export async function openCabinet(name = database): Promise<Cabinet> {
  const opening = indexedDB.open(name, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(shelf);
  const db = await wait(opening);
  void navigator.storage?.persist?.().catch(() => false);
  return {
    get: (key) => wait(db.transaction(shelf, "readonly").objectStore(shelf).get(key)),
    async all<T>(prefix: string) {
      const store = db.transaction(shelf, "readonly").objectStore(shelf);
      const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
      const [names, values] = await Promise.all([wait(store.getAllKeys(range)), wait(store.getAll(range))]);
      return names.map((name, i): [string, T] => [String(name), values[i] as T]);
    },
    async put(key, value, durability = "strict") {
      const tx = db.transaction(shelf, "readwrite", { durability });
      tx.objectStore(shelf).put(value, key);
      await done(tx);
    },
    async putIfAbsent<T>(key: string, value: T) {
      const tx = db.transaction(shelf, "readwrite", { durability: "strict" });
      const store = tx.objectStore(shelf);
      const before: unknown = await wait(store.get(key));
      if (before === undefined) store.put(value, key);
      await done(tx);
      return before === undefined ? value : (before as T);
    },
    async remove(key) {
      const tx = db.transaction(shelf, "readwrite", { durability: "strict" });
      tx.objectStore(shelf).delete(key);
      await done(tx);
    },
  };
}

/** memoryCabinet keeps nothing between visits: for tests, and where a browser refuses storage it is never used. */
export function memoryCabinet(): Cabinet {
  const kept = new Map<string, unknown>();
  return {
    get: async <T>(key: string) => kept.get(key) as T | undefined,
    all: async <T>(prefix: string) => [...kept].filter(([name]) => name.startsWith(prefix)) as [string, T][],
    put: async (key, value) => void kept.set(key, value),
    async putIfAbsent<T>(key: string, value: T) {
      if (!kept.has(key)) kept.set(key, value);
      return kept.get(key) as T;
    },
    remove: async (key) => void kept.delete(key),
  };
}
