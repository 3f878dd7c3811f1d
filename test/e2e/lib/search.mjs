// Looks for pieces of content where none may be: in the memory of a process, in files, in what went over a wire.
import { closeSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";

/** What is content: no chance repeats so many bytes. */
export const pieceSize = 24;

export class Search {
  #first = new Uint8Array(1 << 16); // by the first two bytes
  #of = new Map();
  size = 0;

  /** add looks for bytes under a name. A run of zeros is nobody's content and is left out, and so is what begins like one: memory is full of them. */
  add(name, bytes) {
    const b = Buffer.from(bytes);
    if (b.length < pieceSize || new Set(b).size < pieceSize / 2 || b[0] === 0 || b[0] === b[1]) return;
    const key = (b[0] << 8) | b[1];
    this.#first[key] = 1;
    if (!this.#of.has(key)) this.#of.set(key, []);
    this.#of.get(key).push({ name, b });
    this.size++;
  }

  /** scan counts what is in b, by name. */
  scan(b, found) {
    const first = this.#first;
    for (let i = 0; i + 1 < b.length; i++) {
      if (first[(b[i] << 8) | b[i + 1]] === 0) continue;
      for (const x of this.#of.get((b[i] << 8) | b[i + 1])) {
        if (b[i + 2] === x.b[2] && b[i + 3] === x.b[3] && i + x.b.length <= b.length && x.b.compare(b, i, i + x.b.length) === 0) found[x.name] = (found[x.name] ?? 0) + 1;
      }
    }
    return b.length;
  }

  /** memory scans everything that a process can read of itself, and says how many bytes that was. */
  memory(pid, found) {
    const step = 4 << 20;
    const b = Buffer.alloc(step + 256);
    const file = openSync(`/proc/${pid}/mem`, "r");
    let total = 0;
    try {
      for (const line of readFileSync(`/proc/${pid}/maps`, "utf8").split("\n")) {
        const [, from, to, mode] = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(line) ?? [];
        if (mode?.[0] !== "r" || line.includes("[v")) continue;
        const end = Number.parseInt(to, 16);
        for (let at = Number.parseInt(from, 16); at < end; at += step) {
          let n = 0;
          try {
            n = readSync(file, b, 0, Math.min(b.length, end - at), at);
          } catch {
            break; // a guard, or gone meanwhile
          }
          total += this.scan(b.subarray(0, n), found);
        }
      }
    } finally {
      closeSync(file);
    }
    return total;
  }

  /** files scans everything under a directory, and gives the names. */
  files(dir, found) {
    const names = [];
    for (const e of readdirSync(dir, { withFileTypes: true, recursive: true })) {
      if (!e.isFile()) continue;
      this.scan(readFileSync(join(e.parentPath ?? e.path, e.name)), found);
      names.push(e.name);
    }
    return names;
  }
}
