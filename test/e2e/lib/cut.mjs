// One host with everything on it (both nodes, browsers) and one beside it, so that what is cut is cut for this test alone.
import assert from "node:assert/strict";
import { Lab } from "../../net/lib/lab.mjs";

export class CutHost {
  #lab = new Lab();
  host = this.#lab.host("host");

  constructor() {
    const net = this.#lab.host("net");
    this.#lab.cable([net, "eth0", "10.204.9.1/24"], [this.host, "eth0", "10.204.9.2/24"]);
    this.host.ip("route", "add", "default", "via", "10.204.9.1");
    this.host.nft("table inet cut {\nchain out {\ntype filter hook output priority filter;\n}\n}\n");
  }

  /** cut lets nothing through that a rule names; without rules everything goes again. */
  cut(...rules) {
    this.host.nft(`flush chain inet cut out\n${rules.map((r) => `add rule inet cut out ${r}\n`).join("")}`);
  }

  /** sockets are the own ports of the connections to a web port: those of browsers, or of all others (officers). */
  sockets(port, browsers = true) {
    const lines = this.host.run("ss", "-Htnp", "dport", "=", `:${port}`).split("\n").filter((l) => l !== "" && /chrom/.test(l) === browsers);
    return lines.map((l) => /:(\d+)\s+\S+:\d+\s/.exec(l)[1]);
  }

  /** reset refuses the browsers' connections to a web port. The officer's stays: it answers a ping every 5 s, and would be reset as well. */
  reset(port) {
    const others = this.sockets(port, false);
    assert.ok(others.length > 0);
    this.cut(`tcp dport ${port} tcp sport != { ${others.join(", ")} } reject with tcp reset`);
  }

  /** hang loses what goes over connections that are open, without a word. */
  hang(sockets) {
    this.cut(...sockets.flatMap((port) => [`tcp sport ${port} drop`, `tcp dport ${port} drop`]));
  }

  close() {
    this.#lab.close();
  }
}
