// Writes src/wire/signal-table.ts of the generated descriptors (make proto).
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const made = await build({ entryPoints: [`${here}src/wire/table.ts`], bundle: true, format: "esm", platform: "node", write: false });
const { tableSource } = await import(`data:text/javascript;base64,${Buffer.from(made.outputFiles[0].text).toString("base64")}`);
writeFileSync(`${here}src/wire/signal-table.ts`, tableSource());
