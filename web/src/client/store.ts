// A store of one immutable value: who holds it reads it, who subscribed hears of the next. The only thing of the client that a
// page framework needs to know.

export class Store<T> {
  #value: T;
  readonly #listeners = new Set<(value: T) => void>();

  constructor(value: T) {
    this.#value = value;
  }

  current(): T {
    return this.#value;
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const l of this.#listeners) l(value);
  }

  subscribe(listener: (value: T) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}

/** once runs f after the present task, however often it is asked to before that. */
export function once(f: () => void): () => void {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    queueMicrotask(() => {
      asked = false;
      f();
    });
  };
}

/** share keeps the parts of the last value that are equal to the new ones, so that what did not change is not redrawn. */
export function share<T>(before: unknown, after: T): T {
  if (Object.is(before, after)) return after;
  if (Array.isArray(before) && Array.isArray(after)) {
    const out = after.map((v, i) => share<unknown>(before[i], v));
    return (before.length === out.length && out.every((v, i) => Object.is(v, before[i])) ? before : out) as T;
  }
  if (!plain(before) || !plain(after)) return after;
  const out: Record<string, unknown> = {};
  const names = Object.keys(after);
  let same = names.length === Object.keys(before).length;
  for (const name of names) {
    out[name] = share<unknown>(before[name], after[name]);
    same &&= name in before && Object.is(out[name], before[name]);
  }
  return (same ? before : out) as T;
}

function plain(v: unknown): v is Record<string, unknown> {
  return typeof v === "object" && v !== null && Object.getPrototypeOf(v) === Object.prototype && !("attach" in v) && !("subscribe" in v);
}
