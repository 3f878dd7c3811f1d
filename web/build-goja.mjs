// Bundles src/keys/goja.ts for goja: `node build-goja.mjs` writes internal/mlsjs/bundle/keys.js (git-ignored, embedded).
import { build } from "esbuild";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const web = fileURLToPath(new URL(".", import.meta.url));

// goja interprets: a field of a message costs it a microsecond, a byte that is looked at a tenth. These files of the library, and one of
// ours, are the same functions written for that, or handed to Go (src/keys/lean; lean.test.ts compares them with what they stand for).
const lean = new Map([
  ["ts-mls/dist/src/codec/tlsEncoder.js", "tlsEncoder.ts"],
  ["ts-mls/dist/src/codec/number.js", "number.ts"],
  ["ts-mls/dist/src/codec/optional.js", "optional.ts"],
  ["ts-mls/dist/src/codec/variableLength.js", "variableLength.ts"],
  ["ts-mls/dist/src/treeHash.js", "treeHash.ts"],
  ["ts-mls/dist/src/transcriptHash.js", "transcriptHash.ts"],
  ["ts-mls/dist/src/util/enumHelpers.js", "enumHelpers.ts"],
  ["ts-mls/dist/src/util/constantTimeCompare.js", "host.ts"],
  ["ts-mls/dist/src/crypto/kdf.js", "host.ts"],
  ["src/keys/octets.ts", "octets.ts"],
]);
const replaced = new Set();
const replace = {
  name: "lean",
  setup(b) {
    b.onResolve({ filter: /^\.{1,2}\// }, (a) => {
      const path = resolve(a.resolveDir, a.path);
      const found = [...lean.keys()].find((end) => path.endsWith(end) || path.replace(/\.js$/, ".ts").endsWith(end));
      if (found === undefined) return undefined;
      replaced.add(found);
      return { path: join(web, "src/keys/lean", lean.get(found)) };
    });
  },
};

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
  plugins: [replace],
  logLevel: "warning",
});
// The Go participant's cryptography is Go's: a bundle that carries another is a mistake.
const strangers = Object.keys(metafile.inputs).filter((f) => /node_modules\/(@hpke|@noble|mlkem)\//.test(f));
if (strangers.length > 0) {
  console.error(`foreign cryptography in the goja bundle: ${strangers.join(", ")}`);
  process.exitCode = 1;
}
const kept = [...lean.keys()].filter((f) => !replaced.has(f));
if (kept.length > 0) {
  console.error(`not replaced in the goja bundle: ${kept.join(", ")}`);
  process.exitCode = 1;
}
