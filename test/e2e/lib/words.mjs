// The page's own words and problems, as the product's tables have them: a test that reads a page in Arabic needs no copy of them.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const web = new URL("../../../web/", import.meta.url);
const { build } = createRequire(fileURLToPath(new URL("package.json", web)))("esbuild");
const bundle = await build({
  stdin: { contents: `import "./src/i18n/all.ts"; export { translator } from "./src/i18n/translate.ts"; export { problemText } from "./src/i18n/problem-text.ts"`, resolveDir: fileURLToPath(web), loader: "ts" },
  bundle: true, format: "esm", write: false, target: "es2022",
});

export const { translator, problemText } = await import(`data:text/javascript;base64,${Buffer.from(bundle.outputFiles[0].text).toString("base64")}`);
