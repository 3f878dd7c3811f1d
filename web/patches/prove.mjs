// Proves that every mend is needed: for each defect, a copy of ts-mls with all mends but that one must fail that
// defect's tests, and only a copy with all of them may pass. `npm run patch:prove`
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { mends } from "./ts-mls-1.6.4.mjs";

const web = fileURLToPath(new URL("..", import.meta.url));
const cache = join(web, "node_modules", ".cache", "ts-mls-prove");
const defects = [...new Set(mends.map((m) => m.defect))];

/** The installed package is mended; take one defect's mends back. */
function without(defect) {
  const dir = join(cache, `without-${defect}`);
  cpSync(join(web, "node_modules", "ts-mls"), dir, { recursive: true });
  for (const m of mends.filter((m) => m.defect === defect).reverse()) {
    const path = join(dir, "dist", "src", m.file);
    const text = readFileSync(path, "utf8");
    if (text.split(m.to).length - 1 !== (m.times ?? 1)) throw new Error(`${m.file}: defect ${defect} cannot be taken back`);
    writeFileSync(path, text.split(m.to).join(m.from));
  }
  return dir;
}

function passes(dir, defect) {
  const config = join(cache, "vitest.config.mjs");
  writeFileSync(
    config,
    `export default { root: ${JSON.stringify(web)}, resolve: { alias: [{ find: /^ts-mls\\/(.*)$/, replacement: ${JSON.stringify(join(dir, "dist", "src"))} + "/$1" }] } };\n`,
  );
  const r = spawnSync("npx", ["vitest", "run", "--config", config, "src/keys/defects.test.ts", "-t", `^(defect|option) ${defect}:`], {
    cwd: web,
    encoding: "utf8",
  });
  return { ok: r.status === 0, output: r.stdout + r.stderr };
}

rmSync(cache, { recursive: true, force: true });
mkdirSync(cache, { recursive: true });
let wrong = 0;
for (const d of defects) {
  const mended = passes(join(web, "node_modules", "ts-mls"), d);
  const bare = passes(without(d), d);
  const ran = /Tests .*\d+ (passed|failed)/.test(bare.output);
  const good = mended.ok && !bare.ok && ran;
  if (!good) wrong++;
  console.log(`defect ${d}: with its mend ${mended.ok ? "passes" : "FAILS"}, without it ${bare.ok ? "PASSES" : "fails"}`);
  if (!mended.ok) console.log(mended.output);
}
rmSync(cache, { recursive: true, force: true });
process.exitCode = wrong === 0 ? 0 : 1;
