// Runs src/keys/peer.testkit.ts under Node: bundles it into node_modules/.cache first. Used by internal/mlsjs's tests.
import { build } from "esbuild";
import { fileURLToPath, pathToFileURL } from "node:url";
import { rmSync } from "node:fs";
import { join } from "node:path";

const web = fileURLToPath(new URL(".", import.meta.url));
const outfile = join(web, "node_modules", ".cache", `keys-peer-${process.pid}.mjs`);
await build({
  absWorkingDir: web,
  entryPoints: ["src/keys/peer.testkit.ts"],
  outfile,
  bundle: true,
  format: "esm",
  platform: "node",
  packages: "external",
  logLevel: "warning",
});
process.on("exit", () => rmSync(outfile, { force: true }));
await import(pathToFileURL(outfile).href);
