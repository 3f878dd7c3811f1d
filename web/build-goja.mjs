// Bundles src/keys/goja.ts for goja: `node build-goja.mjs` writes internal/mlsjs/bundle/keys.js (git-ignored, embedded).
import { build } from "esbuild";
import { fileURLToPath } from "node:url";

const web = fileURLToPath(new URL(".", import.meta.url));

const { metafile } = await build({
  absWorkingDir: web,
  entryPoints: ["src/keys/goja.ts"],
  outfile: "../internal/mlsjs/bundle/keys.js",
  bundle: true,
  format: "iife",
  globalName: "parleyKeys",
  target: "es2022",
  charset: "ascii",
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
});
// The Go participant's cryptography is Go's: a bundle that carries another is a mistake.
const strangers = Object.keys(metafile.inputs).filter((f) => /node_modules\/(@hpke|@noble|mlkem)\//.test(f));
if (strangers.length > 0) {
  console.error(`foreign cryptography in the goja bundle: ${strangers.join(", ")}`);
  process.exitCode = 1;
}
