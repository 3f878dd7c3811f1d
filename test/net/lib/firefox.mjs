// Firefox in a namespace. It is driven over BiDi, which is TCP on its own loopback, so the driver runs in the namespace too
// (firefox-driver.mjs) and is asked over a pipe; here it looks like a page with evaluate.
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { trust } from "./authority.mjs";
import { keepPeers } from "../../e2e/lib/browser.mjs";
import { orders } from "./programs.mjs";

const driver = fileURLToPath(new URL("firefox-driver.mjs", import.meta.url));

/** openFirefox starts Firefox on a host, with fake devices: a picture that changes its colour, a tone of 1 kHz. */
export async function openFirefox(host, authority) {
  const profile = mkdtempSync(join(host.lab.dir, "firefox-"));
  trust(profile, authority);
  const home = mkdtempSync(join(host.lab.dir, "home-"));
  const child = host.spawn(["env", `HOME=${home}`, process.execPath, driver, profile], { stdio: ["pipe", "pipe", "inherit"] });
  const d = await orders(child, "Firefox");
  const ask = async (o) => (await d.order(o)).value;
  return {
    version: d.first.value,
    async open(url) {
      await ask({ do: "open", url, before: keepPeers.toString() });
      const page = {
        evaluate: (f, arg) => ask({ do: "evaluate", f: typeof f === "string" ? f : f.toString(), arg: arg ?? null }),
        reload: () => ask({ do: "reload" }),
        screenshot: async ({ path }) => writeFileSync(path, Buffer.from(await ask({ do: "screenshot" }), "base64")),
      };
      return { page, get errors() { return ask({ do: "errors" }); } };
    },
    close: () => d.end(),
  };
}
