// A side of its own for a browser test, raised by the commands of docs/running.md and nothing else: the delegation key in a directory
// that stands for the offline machine, the node as a process, officers certified by what their own screens show.
import { execFile, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { createSocket } from "node:dgram";
import { join } from "node:path";
import { promisify } from "node:util";
import { orders } from "../../net/lib/programs.mjs";
import { until } from "./eyes.mjs";
import { program } from "./program.mjs";

const execute = promisify(execFile);

/** A side before it has keys: the directory's name, its name in languages, its language. */
export const velmark = { id: "velmark", name: { en: "Velmark", ar: "فيلمارك" }, language: "en" };
export const qasran = { id: "qasran", name: { ar: "قصران", en: "Qasran" }, language: "ar" };

export class House {
  #offline;
  #pass;
  #node;

  constructor(dir, side) {
    this.side = side;
    this.dir = join(dir, side.id);
    this.data = join(this.dir, "node");
    this.log = join(this.data, "node.log");
    this.#offline = join(this.dir, "offline");
    this.#pass = join(this.dir, "passphrase");
    mkdirSync(this.data, { recursive: true, mode: 0o700 });
    writeFileSync(this.#pass, "six words that nobody guesses\n", { mode: 0o600 });
  }

  /** parley runs a command; what it prints, or an error with what it said. */
  async parley(...args) {
    const { stdout } = await execute(program("./cmd/parley"), args, { encoding: "utf8" });
    return stdout;
  }

  /** found does the offline machine's work: the side, its node's certificate, and the first of its two officers, whose key is a file. */
  async found() {
    const { name, language } = this.side;
    await this.parley("side", "init", this.#offline, ...Object.entries(name).flatMap(([tag, text]) => ["--name", `${tag}=${text}`]), "--language", language, "--passphrase-file", this.#pass);
    const request = (await this.parley("serve", "--init", "--data", this.data)).trim();
    await this.parley("side", "node-cert", this.#offline, "--key", request, "--passphrase-file", this.#pass);
    this.officer = await this.clerk("clerk");
    return this;
  }

  /** clerk certifies an officer whose device is a key file, and gives the file. */
  async clerk(name) {
    const file = join(this.dir, `${name}.key`);
    const shown = await this.parley("person", "key", file, "--plain");
    await this.certify(/device\s+([0-9a-f]{64})/.exec(shown)[1], /words\s+(.+)/.exec(shown)[1], `${this.side.id}-${name}`, name);
    return file;
  }

  /** open brings the first officer to the node: a script that proposes, consents and lets native people take part. */
  async open() {
    const child = spawn(program("./test/net/desk"), ["-node", this.plain, "-key", this.officer], { stdio: ["pipe", "pipe", "inherit"] });
    this.desk = { pid: child.pid, ...(await orders(child, `the officer of ${this.side.id}`)) };
    this.order = this.desk.order;
  }

  /** certify makes a device an officer's, as a technician does who reads key and words off that device. */
  async certify(device, words, person, name) {
    await this.parley("side", "officer-cert", this.#offline, "--device", device, "--person", person, "--name", name, "--words", words, "--passphrase-file", this.#pass);
    copyFileSync(join(this.#offline, "side.parley"), join(this.data, "side.parley"));
  }

  /** serve starts the node. announce: the address in its link card, when it is not the node's own port. */
  async serve({ announce } = {}) {
    this.ports = { web: await freePort(), media: await freePort(), turn: await freePort(), link: this.ports?.link ?? (await freePort()) };
    const { web, media, turn, link } = Object.fromEntries(Object.entries(this.ports).map(([use, port]) => [use, `127.0.0.1:${port}`]));
    const out = openSync(this.log, "a", 0o600);
    this.#node = spawn(program("./cmd/parley"), ["serve", "--data", this.data, "--web-listen", web, "--web-plain", "--media-udp", media, "--media-tcp", media,
      "--media-announce", "127.0.0.1", "--turn-listen", turn, "--link-listen", link, "--link-announce", announce ?? link], { stdio: ["ignore", out, out] });
    await until(`the node of ${this.side.id} serves`, async () => {
      if (this.#node.exitCode !== null) throw new Error(this.tail());
      return (await fetch(this.web, { signal: AbortSignal.timeout(2_000) })).ok;
    }, 30_000);
    return this;
  }

  /** reserve takes the link's port before the node serves, for whoever stands between the nodes. */
  async reserve() {
    this.ports = { link: await freePort() };
    return this.ports.link;
  }

  get web() {
    return `http://localhost:${this.ports.web}/`;
  }

  get plain() {
    return `http://127.0.0.1:${this.ports.web}`;
  }

  get pid() {
    return this.#node.pid;
  }

  tail() {
    return readFileSync(this.log, "utf8").slice(-4000);
  }

  /** card is this side's link card, as it travels by courier; paper is its fingerprint in digits and in words, as it is read out. */
  card() {
    return this.parley("link", "card", "--data", this.data);
  }

  async paper() {
    const [, digits, words] = /fingerprint\s+([\d ]+)\n\s+([a-z ]+)\n/.exec(await this.parley("side", "show", join(this.data, "side.parley")));
    return { digits: digits.trim(), words: words.trim() };
  }

  /** meet keeps the other side's card and verifies it by command. */
  async meet(other) {
    const file = join(this.dir, `${other.side.id}.card`);
    writeFileSync(file, await other.card());
    await this.parley("link", "add", file, "--data", this.data);
    await this.parley("link", "verify", other.side.name.en, "--by", "Clerk", "--fingerprint", (await other.paper()).digits, "--data", this.data);
  }

  /** accredit compares the words of a waiting device with those on its person's screen, and admits it, by command. */
  async accredit(person, { words, role = "adviser", name, office }) {
    const reach = ["--node", this.plain, "--key", this.deputy]; // the first officer's device sits at the desk
    const id = await until(`${person} waits`, async () => new RegExp(`^([0-9a-f]{8})\\s.*${words}\\s*$`, "m").exec(await this.parley("person", "list", ...reach))?.[1]);
    const texts = (flag, of) => Object.entries(of).flatMap(([tag, text]) => [flag, `${tag}=${text}`]);
    await this.parley("person", "accredit", id, "--person", person, "--role", role, "--words", words, ...texts("--name", name), ...texts("--office", office), ...reach);
  }

  /** end stops the node and waits for it. */
  async end() {
    await this.desk?.end();
    if (this.#node === undefined || this.#node.exitCode !== null || this.#node.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#node.once("exit", resolve));
    this.#node.kill("SIGTERM");
    await ended;
  }
}

/** freePort finds a port that nobody uses now, TCP and UDP alike. */
async function freePort() {
  for (let i = 0; i < 50; i++) {
    const tcp = createServer();
    const port = await new Promise((resolve) => tcp.listen(0, "127.0.0.1", () => resolve(tcp.address().port)));
    const udp = createSocket("udp4");
    const free = await new Promise((resolve) => udp.once("error", () => resolve(false)).bind(port, "127.0.0.1", () => resolve(true)));
    await Promise.all([new Promise((r) => tcp.close(r)), free ? new Promise((r) => udp.close(r)) : undefined]);
    if (free) return port;
  }
  throw new Error("no free port");
}
