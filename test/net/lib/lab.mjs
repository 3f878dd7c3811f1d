// A laboratory of network namespaces: hosts, routers with NAT, cables between them. Everything it makes is named after this process
// and goes with it, also when the test fails or is interrupted; what a killed run left behind goes with the next.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const mark = "parley-net-";

/** why tells why there can be no laboratory here; empty when there can. */
export function why() {
  if (process.getuid?.() !== 0) return "network namespaces need root: run this test as root";
  for (const tool of ["ip", "nft", "certutil", "openssl"]) {
    if (!["/usr/sbin", "/usr/bin", "/sbin", "/bin"].some((d) => existsSync(join(d, tool)))) return `${tool} is missing: run scripts/install-e2e`;
  }
  return existsSync("/dev/net/tun") ? "" : "/dev/net/tun is missing";
}

const open = new Set();
process.on("exit", () => open.forEach((lab) => lab.close()));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));

export class Lab {
  dir = mkdtempSync(join(tmpdir(), "parley-net-"));
  #prefix = `${mark}${process.pid}-`;
  #names = [];
  #cables = 0;
  #children = [];

  constructor() {
    sweep();
    open.add(this);
  }

  /** host makes a namespace. Names of other machines are known to it as hosts(5) says. */
  host(name, names = {}) {
    const ns = this.#prefix + name;
    run("ip", "netns", "add", ns);
    this.#names.push(ns);
    run("ip", "-n", ns, "link", "set", "lo", "up");
    mkdirSync(`/etc/netns/${ns}`, { recursive: true });
    const lines = Object.entries({ localhost: "127.0.0.1", ...names }).map(([n, a]) => `${a} ${n}\n`);
    writeFileSync(`/etc/netns/${ns}/hosts`, lines.join(""));
    return new Host(this, ns);
  }

  /** cable joins two hosts; an end is [host, device, address/length]. */
  cable([a, da, aa], [b, db, ab]) {
    const temporary = [`pn${process.pid % 100_000}a${this.#cables}`, `pn${process.pid % 100_000}b${this.#cables++}`];
    run("ip", "link", "add", temporary[0], "type", "veth", "peer", "name", temporary[1]);
    for (const [i, host, device, address] of [[0, a, da, aa], [1, b, db, ab]]) {
      run("ip", "link", "set", temporary[i], "netns", host.ns, "name", device);
      if (address !== null) host.ip("addr", "add", address, "dev", device);
      host.ip("link", "set", device, "up");
    }
  }

  /** spawn starts a program outside all of its hosts, that ends with the laboratory. */
  spawn([command, ...args], options) {
    const child = spawn(command, args, options);
    this.#children.push(child);
    return child;
  }

  close() {
    if (!open.delete(this)) return;
    for (const child of this.#children) child.kill("SIGKILL");
    for (const ns of this.#names) strike(ns);
    rmSync(this.dir, { recursive: true, force: true });
  }
}

class Host {
  constructor(lab, ns) {
    this.lab = lab;
    this.ns = ns;
  }

  ip(...args) {
    run("ip", "-n", this.ns, ...args);
  }

  nft(script) {
    execFileSync("ip", ["netns", "exec", this.ns, "nft", "-f", "-"], { input: script, stdio: ["pipe", "inherit", "inherit"] });
  }

  /** forwards makes the host a router. */
  forwards() {
    this.run("sysctl", "-qw", "net.ipv4.ip_forward=1");
  }

  run(...command) {
    return run("ip", "netns", "exec", this.ns, ...command);
  }

  spawn(command, options) {
    return spawn("ip", ["netns", "exec", this.ns, ...command], options);
  }

  /** launcher is a program that starts another within this host, for whoever takes only a path. */
  launcher(program, environment = {}) {
    const file = join(this.lab.dir, `launch-${this.ns}-${program.split("/").at(-1)}`);
    const set = Object.entries(environment).map(([k, v]) => `${k}='${v}'`);
    writeFileSync(file, `#!/bin/sh\nexec ip netns exec ${this.ns} env ${set.join(" ")} ${program} "$@"\n`, { mode: 0o755 });
    return file;
  }
}

/** router gives a site its private network and its one public address, as offices and homes have it: NAT, and a firewall. */
export function router(host, { wan, lan, forward = {} }) {
  host.forwards();
  const rules = Object.entries(forward).map(([what, to]) => `iifname "${wan}" ${what} dnat to ${to}`);
  host.nft(`
table ip nat {
  chain pre { type nat hook prerouting priority dstnat; ${rules.join("; ")}; }
  chain post { type nat hook postrouting priority srcnat; oifname "${wan}" masquerade; }
}
table ip firewall {
  chain block { }
  chain through {
    type filter hook forward priority filter; policy drop;
    jump block
    ct state established,related accept
    iifname "${lan}" accept
    ct status dnat accept
  }
}
`);
}

/** block replaces what a router drops whatever else it allows; no rule lets everything of before through again. */
export function block(host, ...rules) {
  host.nft(`flush chain ip firewall block\n${rules.map((r) => `add rule ip firewall block ${r} counter drop\n`).join("")}`);
}

export function run(command, ...args) {
  return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** strike ends what runs in a namespace of ours, by its ids, and then the namespace. */
function strike(ns) {
  try {
    for (const pid of run("ip", "netns", "pids", ns).split("\n").filter(Boolean)) tryTo(() => process.kill(Number(pid), "SIGKILL"));
    run("ip", "netns", "del", ns);
  } catch {
    // gone already
  }
  rmSync(`/etc/netns/${ns}`, { recursive: true, force: true });
}

function sweep() {
  if (!existsSync("/var/run/netns")) return;
  for (const ns of readdirSync("/var/run/netns").filter((n) => n.startsWith(mark))) {
    if (!existsSync(`/proc/${ns.slice(mark.length).split("-")[0]}`)) strike(ns);
  }
}

function tryTo(f) {
  try {
    f();
  } catch {
    // gone already
  }
}
