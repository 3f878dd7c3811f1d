// Programs that take JSON orders line by line.
import { createInterface } from "node:readline";

export { program, root } from "../../e2e/lib/program.mjs";

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
