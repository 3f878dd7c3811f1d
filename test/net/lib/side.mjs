// One side, raised by the commands of docs/running.md and nothing else: its delegation key on "another machine" (a directory), its
// node in a namespace, its officers' keys, its certificate from its own authority.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { until } from "../../e2e/lib/eyes.mjs";
import { certify, makeAuthority } from "./authority.mjs";
import { orders, program } from "./programs.mjs";

const ports = { web: 8443, media: 7700, turn: 7478, link: 7443 };
export const nodePorts = ports;

/** portForwards are what the side's router must let in to the node, as nftables writes it. */
export const portForwards = (node) => ({
  [`udp dport { ${ports.link}, ${ports.media}, ${ports.turn} }`]: node,
  [`tcp dport { ${ports.web}, ${ports.media}, ${ports.turn} }`]: node,
});

export class Side {
  /** at: the node's host; own: its private address; known: its public one, if any; desk: the host where officers sit. */
  constructor({ lab, id, name, at, own, known, desk, reach }) {
    Object.assign(this, { lab, id, name, at, own, known, deskHost: desk, reach });
    this.domain = `${id}.example`;
    this.web = `https://node.${this.domain}:${ports.web}`;
    this.dir = join(lab.dir, id);
    this.data = join(this.dir, "node");
    this.offline = join(this.dir, "offline");
    this.pass = join(this.dir, "passphrase");
    mkdirSync(this.data, { recursive: true, mode: 0o700 });
    writeFileSync(this.pass, "six words that nobody guesses\n", { mode: 0o600 });
  }

  parley(...args) {
    return execFileSync(program("./cmd/parley"), args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  }

  found() {
    this.authority = makeAuthority(join(this.dir, "authority"), this.domain);
    const { cert, key } = certify(this.authority, `node.${this.domain}`);
    const told = JSON.stringify([this.own, this.known].filter(Boolean));
    this.config = join(this.dir, "parley.toml");
    writeFileSync(this.config, `data = "${this.data}"
[web]
listen = "0.0.0.0:${ports.web}"
cert = "${cert}"
key = "${key}"
names = ["node.${this.domain}"]
[media]
udp = "${this.own}:${ports.media}"
tcp = "${this.own}:${ports.media}"
announce = ${told}
[turn]
listen = "${this.own}:${ports.turn}"
[link]
listen = "0.0.0.0:${ports.link}"
announce = "${this.known ?? this.own}:${ports.link}"
`);
    const secret = ["--passphrase-file", this.pass];
    this.parley("side", "init", this.offline, "--name", `en=${this.name}`, "--language", "en", ...secret);
    const request = this.parley("serve", "--init", "--config", this.config).trim();
    this.parley("side", "node-cert", this.offline, "--key", request, ...secret);
    this.officers = [1, 2].map((i) => {
      const file = join(this.dir, `officer-${i}.key`);
      const shown = this.parley("person", "key", file, "--plain");
      const [, device] = /device\s+([0-9a-f]{64})/.exec(shown);
      const [, words] = /words\s+(.+)/.exec(shown);
      this.parley("side", "officer-cert", this.offline, "--device", device, "--person", `${this.id}-officer-${i}`, "--name", `Officer ${i}`, "--words", words, ...secret);
      return file;
    });
    copyFileSync(join(this.offline, "side.parley"), join(this.data, "side.parley"));
    return this;
  }

  async serve() {
    this.log = join(this.dir, "node.log");
    const out = openSync(this.log, "a");
    this.node = this.at.spawn([program("./cmd/parley"), "serve", "--config", this.config], { stdio: ["ignore", out, out] });
    await until(`the node of ${this.name} serves`, () => {
      if (this.node.exitCode !== null) throw new Error(this.tail());
      return existsSync(this.log) && /side fingerprint/.test(readFileSync(this.log, "utf8"));
    });
  }

  tail() {
    return existsSync(this.log ?? "") ? readFileSync(this.log, "utf8").slice(-6000) : "";
  }

  /** metrics are the node's own figures that are not zero, from its admin socket. */
  metrics() {
    return new Promise((resolve, reject) => {
      get({ socketPath: join(this.data, "admin.sock"), path: "/metrics" }, (r) => {
        let text = "";
        r.on("data", (d) => (text += d)).on("end", () => resolve(text.split("\n").filter((l) => !/^#| 0$/.test(l)).join("\n")));
      }).on("error", reject);
    });
  }

  /** meet keeps the other side's card and verifies it by the fingerprint that its own people read out. */
  meet(other) {
    const card = join(this.dir, `${other.id}.card`);
    writeFileSync(card, other.parley("link", "card", "--config", other.config));
    const [, digits] = /fingerprint\s+([\d ]+)/.exec(other.parley("side", "show", join(other.data, "side.parley")));
    this.parley("link", "add", card, "--config", this.config);
    this.parley("link", "verify", other.name, "--by", "Officer 1", "--fingerprint", digits.trim(), "--config", this.config);
  }

  links() {
    return this.parley("link", "list", "--config", this.config);
  }

  /** open brings the first officer to the node: the scripted one that proposes, consents and resumes. */
  async open() {
    const child = this.deskHost.spawn([program("./test/net/desk"), "-node", this.web, "-ca", this.authority.pem, "-key", this.officers[0]], { stdio: ["pipe", "pipe", "inherit"] });
    this.desk = await orders(child, `the officer of ${this.name}`);
  }

  order(o) {
    return this.desk.order(o);
  }

  /** person is `parley person …` as the second officer types it. */
  person(...args) {
    const [verb, ...rest] = args;
    return this.deskHost.run(program("./cmd/parley"), "person", verb, ...rest, "--node", this.web, "--key", this.officers[1], "--ca", this.authority.pem);
  }

  /** accredit compares the words of a waiting device with those that its person reads out, and admits it. */
  async accredit(person, role, words) {
    const id = await until(`${person} waits`, () => new RegExp(`^([0-9a-f]{8})\\s.*${words}\\s*$`, "m").exec(this.person("list"))?.[1], 10_000);
    this.person("accredit", id, "--person", person, "--role", role, "--name", `en=${person}`, "--office", "en=Delegate", "--words", words);
  }

  async end() {
    await this.desk?.end();
    if (this.node !== undefined && this.node.exitCode === null) {
      const ended = new Promise((resolve) => this.node.once("exit", resolve));
      this.node.kill("SIGTERM");
      await ended;
    }
  }
}

/** convene brings a session in force between two sides; seats are [person, role] of each. */
export async function convene(first, second, seats) {
  const { scope, id } = await first.order({ do: "convene", seats: seats[0], theirs: seats[1] });
  await second.order({ do: "consent", scope, to: id });
  return scope;
}
