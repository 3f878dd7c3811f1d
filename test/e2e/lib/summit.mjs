// Two sides, two nodes, one link, a session in force: started as processes for one test file, and ended with it.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { openPerson } from "./browser.mjs";
import { until } from "./eyes.mjs";
import { program } from "./program.mjs";

/** raise starts a summit; order tells its officers and nodes what to do. at: a host of a laboratory (../net/lib/lab.mjs), all of it there. */
export async function raise({ at } = {}) {
  const dir = mkdtempSync(join(tmpdir(), "parley-e2e-"));
  const command = [program("./test/e2e/raise"), "-parley", program("./cmd/parley"), "-dir", dir];
  const stdio = { stdio: ["pipe", "pipe", "inherit"] };
  const child = at === undefined ? spawn(command[0], command.slice(1), stdio) : at.spawn(command, stdio);
  const waiting = [];
  createInterface({ input: child.stdout }).on("line", (line) => waiting.shift()?.(JSON.parse(line)));
  const ended = new Promise((resolve) => child.once("exit", () => resolve({ ok: false, error: "the summit has ended" })));
  const next = () => Promise.race([new Promise((resolve) => waiting.push(resolve)), ended]);
  const checked = (a) => {
    if (!a.ok) throw new Error(a.error);
    return a;
  };
  const ready = checked(await next());
  const order = async (o) => {
    const reply = next();
    child.stdin.write(`${JSON.stringify(o)}\n`);
    return checked(await reply);
  };
  return {
    dir,
    web: ready.web,
    data: ready.data,
    ports: ready.ports,
    scope: ready.scope,
    order,
    async end() {
      child.stdin.end();
      await ended;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** admit opens a page, enrols its device and has it accredited by the words on its screen; it ends in the lobby. */
export async function admit(summit, browser, side, person, options) {
  return enrolled(summit, await openPerson(browser, summit.web[side], options), side, person, options);
}

/** enrolled is admit for a page that is open. lobby: false for a principal, whose page does not stay there. */
export async function enrolled(summit, p, side, person, { lobby = true } = {}) {
  const { page } = p;
  await page.locator("input").first().fill(person);
  await page.locator("form button").first().click();
  const words = await until("the words", async () => {
    const all = await page.locator("ol.words li").allTextContents();
    return all.length === 6 && all.map((w) => w.replace(/^\d+/, "")).join(" ");
  });
  await summit.order({ do: "accredit", side, person, words });
  if (lobby) await page.locator("section.next button").first().waitFor();
  return { ...p, words };
}

/** enter goes from the lobby through the holding room into the room. */
export async function enter({ page }) {
  await page.locator("section.next button").first().click();
  await page.locator(".enter button.primary").click();
  await until("the room", async () => (await facts(page)).leaves > 0);
}

/** facts are what the client itself says: no secret among them. */
export const facts = (page) => page.evaluate(() => window.parley.facts());
