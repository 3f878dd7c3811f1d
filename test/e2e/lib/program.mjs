// The Go programs of a run, built once for all test files of it.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../..", import.meta.url));
const built = new Map();

/** program is the file of a Go command. PARLEY_E2E_BUILT: the programs are there already, as after `make build` on a busy machine. */
export function program(pkg) {
  const name = pkg.split("/").at(-1);
  if (!built.has(name)) {
    const file = join(process.env.PARLEY_E2E_BIN ?? join(root, "bin"), name);
    if (process.env.PARLEY_E2E_BUILT === undefined || !existsSync(file)) execFileSync("go", ["build", "-trimpath", "-o", file, pkg], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
    built.set(name, file);
  }
  return built.get(name);
}
