// Mends the installed ts-mls: `node web/patches/apply.mjs` (idempotent; --pin writes integrity.json).
//
// integrity.json pins the sha512 of every touched file before and after, and of every other .js file of
// the package, so a package altered in the registry or on disk is refused, whatever its version says.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { mend, sha512 } from "./mend.mjs";
import { mends, version } from "./ts-mls-1.6.4.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const pkg = join(here, "..", "node_modules", "ts-mls");
const pins = join(here, "integrity.json");

function files(dir) {
  return readdirSync(dir, { withFileTypes: true }).flatMap((e) =>
    e.isDirectory() ? files(join(dir, e.name)) : [join(dir, e.name)],
  );
}

function main() {
  const src = join(pkg, "dist", "src");
  const found = JSON.parse(readFileSync(join(pkg, "package.json"), "utf8")).version;
  if (found !== version) throw new Error(`ts-mls ${found} is installed, the mends are for ${version}`);
  const touched = new Set(mends.map((m) => m.file));
  const names = files(src)
    .map((f) => relative(src, f).replaceAll("\\", "/"))
    .filter((f) => f.endsWith(".js") || touched.has(f))
    .sort();

  if (process.argv.includes("--pin")) {
    const pinned = {};
    for (const f of names) {
      const text = readFileSync(join(src, f), "utf8");
      pinned[f] = touched.has(f) ? { before: sha512(text), after: sha512(mend(f, text, mends)) } : { after: sha512(text) };
    }
    writeFileSync(pins, `${JSON.stringify(pinned, null, 1)}\n`);
    return;
  }

  if (!existsSync(pins)) throw new Error("integrity.json is missing");
  const pinned = JSON.parse(readFileSync(pins, "utf8"));
  const missing = Object.keys(pinned).filter((f) => !names.includes(f));
  const extra = names.filter((f) => !(f in pinned));
  if (missing.length + extra.length > 0) throw new Error(`ts-mls: missing ${missing}; unknown ${extra}`);
  // Everything is checked before anything is written.
  const writes = [];
  for (const f of names) {
    const text = readFileSync(join(src, f), "utf8");
    const hash = sha512(text);
    if (hash === pinned[f].after) continue;
    if (hash !== pinned[f].before) throw new Error(`ts-mls: ${f} is neither the published nor the mended file`);
    const mended = mend(f, text, mends);
    if (sha512(mended) !== pinned[f].after) throw new Error(`ts-mls: ${f} mended differs from its pin`);
    writes.push([join(src, f), mended]);
  }
  for (const [path, text] of writes) writeFileSync(path, text);
  console.log(`ts-mls ${version}: ${writes.length} files mended, ${names.length} verified`);
}

try {
  main();
} catch (e) {
  console.error(`ts-mls was not mended: ${e.message}`);
  process.exitCode = 1;
}
