// When a memory is written: when the page has nothing better to do. Soon after a log was read, so that a tab that is closed at once
// helps the next; then seldom, for what it costs to write is paid each time and what it saves once.

const soon = 1_000;
const seldom = 10_000;
/** A page that never rests writes after this, ms. */
const patience = 2_000;

export class Keeping {
  readonly #keep: () => Promise<void>;
  #planned = false;
  #again = false;
  #next = 0;

  constructor(keep: () => Promise<void>) {
    this.#keep = keep;
  }

  /** changed says that more was checked than is remembered. */
  changed(): void {
    this.#again = true;
    if (this.#planned) return;
    this.#planned = true;
    setTimeout(() => idle(() => void this.#write()), Math.max(soon, this.#next - Date.now()));
  }

  async #write(): Promise<void> {
    this.#again = false;
    await this.#keep().catch(() => undefined); // a full disk costs the next start some time
    this.#planned = false;
    this.#next = Date.now() + seldom;
    if (this.#again) this.changed();
  }
}

function idle(work: () => void): void {
  if (typeof requestIdleCallback === "function") requestIdleCallback(work, { timeout: patience });
  else work();
}
