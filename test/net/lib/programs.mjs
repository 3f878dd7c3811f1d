// The Go programs of a run, built once, and programs that take JSON orders line by line.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../..", import.meta.url));
const built = new Map();

export function program(pkg) {
  const name = pkg.split("/").at(-1);
  if (!built.has(name)) {
    const file = join(process.env.PARLEY_E2E_BIN ?? join(root, "bin"), name);
    execFileSync("go", ["build", "-trimpath", "-o", file, pkg], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
    built.set(name, file);
  }
  return built.get(name);
}

/** orders speaks with a child that answers each JSON line with one; the first line comes unasked. */
export async function orders(child, what) {
  const waiting = [];
  createInterface({ input: child.stdout }).on("line", (line) => waiting.shift()?.(JSON.parse(line)));
  const ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve({ ok: false, error: `${what} has ended (${code ?? signal})` })));
  const next = () => Promise.race([new Promise((resolve) => waiting.push(resolve)), ended]);
  const checked = (a) => {
    if (a.ok === false) throw new Error(`${what}: ${a.error}`);
    return a;
  };
  const first = checked(await next());
  return {
    first,
    async order(o) {
      const reply = next();
      child.stdin.write(`${JSON.stringify(o)}\n`);
      return checked(await reply);
    },
    async end() {
      child.stdin.end();
      await ended;
    },
  };
}
