// The logs this device follows: one for each session its node tells of, kept checked whether or not the person is in the room.
import type { Verifier } from "../../engine/verify";
import { nodeCert, open } from "../../words/ident";
import type { Entries, Heads, OutboxItems } from "../../wire/parley/v1/signal_pb";
import { equal, hex } from "../../words/bytes";
import type { MadeAct } from "../author";
import { Pending } from "../pending";
import { asProblem, ProblemError } from "../problem";
import type { Socket } from "../socket";
import { settledWithout } from "./doubt";
import type { Evidence } from "./evidence";
import { ScopeLog, type Applied } from "./scope-log";
import type { Self } from "../self";

/** Logs followed at a time; the node serves no more to one device. */
const mostScopes = 8;

export interface Followed {
  readonly id: string;
  readonly scope: Uint8Array;
  readonly log: ScopeLog;
  readonly pending: Pending;
  caughtUp: boolean;
  /** Settled when what was remembered of the log has been taken, or there was nothing. */
  readonly recalled: Promise<void>;
  /** When the present socket began to follow, ms: what was sent before may be lost. */
  since: number;
}

export interface ScopesPorts {
  readonly socket: Socket;
  readonly self: Self;
  readonly verifier: Verifier;
  now(): number;
  applied(f: Followed, a: Applied): void;
  /** recalled: what this device checked on another visit counts again; what came since is still to be read. */
  recalled(f: Followed): void;
  caughtUp(f: Followed): void;
  alarm(f: Followed, problem: ProblemError): void;
  evidence(e: Evidence): void;
  changed(): void;
}

export class Scopes {
  readonly #ports: ScopesPorts;
  readonly #followed = new Map<string, Followed>();

  constructor(ports: ScopesPorts) {
    this.#ports = ports;
  }

  all(): Followed[] {
    return [...this.#followed.values()];
  }

  get(id: string): Followed | undefined {
    return this.#followed.get(id);
  }

  /** follow keeps the logs of these scopes, newest first where there are too many. After a reconnect each is asked for from its end. */
  follow(scopes: readonly Uint8Array[]): void {
    for (const scope of scopes.slice(-mostScopes)) if (scope.length === 32) this.#open(scope);
    for (const f of this.#followed.values()) this.#start(f);
  }

  /** add follows what is new among these scopes, on a socket that already brings the others. */
  add(scopes: readonly Uint8Array[]): void {
    const before = new Set(this.#followed.values());
    for (const scope of scopes.slice(-mostScopes)) if (scope.length === 32) this.#open(scope);
    for (const f of this.#followed.values()) if (!before.has(f)) this.#start(f);
  }

  #start(f: Followed): void {
    f.since = Date.now();
    void f.recalled.then(() => this.#watch(f));
  }

  /** keep has what was checked so far remembered for another visit. */
  async keep(): Promise<void> {
    const { memory } = this.#ports.self;
    for (const { log } of this.all()) {
      const kept = log.kept();
      if (kept !== undefined) await memory.keep(kept);
    }
    await memory.only(this.all().map((f) => f.scope));
  }

  entries(m: Entries): void {
    const f = this.#followed.get(hex(m.scope));
    if (f === undefined) return;
    void f.log.take(m.entries).then(() => {
      if (!m.caughtUp) return;
      f.pending.again(f.since);
      f.caughtUp = true;
      this.#ports.caughtUp(f);
    });
  }

  outbox(m: OutboxItems): void {
    void this.#followed.get(hex(m.scope))?.log.overlay(m.items);
  }

  heads(m: Heads): void {
    void this.#followed.get(hex(m.scope))?.log.heads(m.heads);
  }

  /** submit sends an act and answers when it is in the log or the own outbox. */
  submit(scope: string, made: MadeAct): Promise<void> {
    const f = this.#followed.get(scope);
    if (f === undefined) return Promise.reject(new ProblemError("unknown-session"));
    return f.pending.add(made.id, made.kind, made.signed);
  }

  /** begin sends the act that opens a new scope, and follows it. */
  async begin(scope: Uint8Array, made: MadeAct): Promise<void> {
    await this.#ports.socket.request({ case: "submit", value: { scope, act: made.signed } });
    this.#watch(this.#open(scope));
  }

  /** lost says that the socket is gone: what was caught up no longer is. */
  lost(): void {
    for (const f of this.#followed.values()) f.caughtUp = false;
  }

  tick(): void {
    for (const f of this.#followed.values()) {
      f.pending.tick();
      if (f.pending.uncertain().length > 0) f.pending.never((act) => settledWithout(f.log.state, act, this.#ports.socket.clock));
    }
  }

  /** uncertain says whether the fate of an act is not known in any log. */
  uncertain(): boolean {
    return this.all().some((f) => f.pending.uncertain().length > 0);
  }

  #open(scope: Uint8Array): Followed {
    const id = hex(scope);
    const before = this.#followed.get(id);
    if (before !== undefined) return before;
    const { self } = this.#ports;
    const pending = new Pending((act) => this.#send(f, act.id, act.signed));
    const log = new ScopeLog({
      scope,
      ownSide: self.side?.id ?? new Uint8Array(32),
      verify: (checks) => this.#ports.verifier.verify(checks),
      trust: (state) => this.#trust(state),
      applied: (a) => this.#ports.applied(f, a),
      settled: (act) => pending.seen(act),
      changed: this.#ports.changed,
      alarm: (p) => this.#ports.alarm(f, p),
      missing: () => this.#watch(f),
      evidence: (e) => this.#ports.evidence({ ...e, scope, at: this.#ports.now() }),
      now: Date.now,
    });
    const f: Followed = { id, scope, log, pending, caughtUp: false, recalled: this.#recall(log, scope), since: Date.now() };
    this.#followed.set(id, f);
    void f.recalled.then(() => log.next > 0 && log.broken === undefined && this.#ports.recalled(f));
    return f;
  }

  #watch(f: Followed): void {
    const watch = { scope: f.scope, fromIndex: BigInt(f.log.next), want: true };
    this.#ports.socket.request({ case: "watch", value: watch }).catch((e: unknown) => {
      const problem = asProblem(e);
      if (problem.code !== "node-unreachable") this.#ports.alarm(f, problem);
    });
  }

  #send(f: Followed, id: string, signed: Uint8Array): void {
    this.#ports.socket.request({ case: "submit", value: { scope: f.scope, act: signed } }, 30_000).catch((e: unknown) => {
      const problem = asProblem(e);
      // An unreachable node has refused nothing; the act goes again after the next Welcome.
      if (problem.code !== "node-unreachable" && problem.code !== "node-stopping") f.pending.refused(id, problem);
    });
  }

  /** A fork that this device has proof of does not end with the page that saw it; what it has checked does not either. */
  async #recall(log: ScopeLog, scope: Uint8Array): Promise<void> {
    const { self } = this.#ports;
    const proofs = await self.evidence.all().catch(() => []);
    if (proofs.some((e) => e.what === "log" && equal(e.scope, scope))) await log.distrust(new ProblemError("forked"));
    const kept = self.side === undefined ? undefined : await self.memory.recall(scope, self.side.id);
    if (kept !== undefined) await log.recall(kept);
  }

  /**
   * The plan must name one's own side with the key this device knows and the node that this socket ends at, and no other side under a name
   * known with another key. With another node of one's own side in the plan, that one would countersign what this device believes.
   */
  async #trust(state: ScopeLog["state"]): Promise<void> {
    const plan = state.plan();
    const { self } = this.#ports;
    const own = plan?.sides.find((s) => self.side !== undefined && equal(s.id, self.side.id));
    if (plan === undefined || own === undefined || self.side === undefined) throw new ProblemError("not-seated");
    if (!equal(own.delegation, self.side.delegation) || !equal(nodeKey(own.node), nodeKey(self.side.nodeCert))) {
      throw new ProblemError("link-swapped-key", { side: "own" });
    }
    const peers = plan.sides.filter((s) => !equal(s.id, own.id)).map((s) => ({ id: s.id, name: s.name }));
    await self.pins.peers(peers, this.#ports.now());
  }
}

/** The certificates may differ (a node is certified anew from time to time), the key may not. */
function nodeKey(certificate: Uint8Array): Uint8Array {
  return open(nodeCert, certificate).value.key;
}
