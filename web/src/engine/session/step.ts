// One run of the rules over one act, on a copy of a model that is thrown away if the rules refuse (internal/session/step.go).
import { contextAct, contextOutbox, decodeOutbox, decodeSigned, hashItem, message, read, type DecodedAct } from "../../words/act";
import { equal, hex } from "../../words/bytes";
import { inForce as certInForce } from "../../words/ident";
import { ProblemError, problem } from "../../words/problem";
import type { Shape } from "../../words/schema";
import type { Check, Effect } from "./check";
import { clone, liveDevice, officerOf, phase, sideById, type Member, type Model, type Side } from "./model";
import { keptActs, maxActs } from "./limits";
import { ruleOf, unilateral } from "./rules";

export class Step {
  model: Model;
  readonly seen: ReadonlySet<string>;
  /** ms, of the entry or outbox item. */
  readonly at: number;
  /** Of the entry. */
  readonly term: number;
  ids: Uint8Array[] = [];
  readonly checks: Check[] = [];
  effects: Effect[] = [];

  constructor(model: Model, seen: ReadonlySet<string>, at: number, term: number) {
    this.model = clone(model);
    this.seen = seen;
    this.at = at;
    this.term = term;
  }

  /** direct runs an act that an entry holds by itself. */
  direct(item: Uint8Array): void {
    const a = decodeSigned(item);
    if (unilateral(a.act.kind)) throw problem("malformed", { what: "unilateral-outside-outbox" });
    this.quota(a);
    this.run(a);
    this.sideOf(a).acts += this.ids.length;
  }

  /**
   * quota refuses acts of a side beyond its share of the log. It is no reason for a void: voids would fill the log as well. What a side's
   * node and officers need is kept for them (internal/session/step.go tells the attack).
   */
  quota({ act }: DecodedAct): void {
    const side = sideById(this.model, act.side);
    if (side === undefined) return;
    const office = equal(side.node, act.key) || officerOf(side, act.key) !== undefined;
    const kept = office ? 0 : unilateral(act.kind) ? keptActs : 2 * keptActs;
    if (side.acts >= maxActs - kept) throw problem("too-many", { what: "acts" });
  }

  /** outbox runs an outbox item. Its place in its node's chain is checked as strictly as an entry's place in the log. */
  outbox(raw: Uint8Array): void {
    const { signed, item } = decodeOutbox(raw);
    if (!equal(item.scope, this.model.scope)) throw problem("unknown-session");
    const side = sideById(this.model, item.side);
    if (side === undefined) throw problem("not-yours");
    if (item.seq > side.outseq) throw problem("gap");
    if (item.seq < side.outseq) throw problem("replayed");
    if (!equal(item.prev, side.outprev)) throw problem("forked");
    const a = decodeSigned(item.act);
    if (!unilateral(a.act.kind)) throw problem("malformed", { what: "joint-in-outbox" });
    if (!equal(a.act.side, item.side)) throw problem("not-yours");
    this.quota(a);
    this.check("ed25519", side.node, contextOutbox, signed.item, signed.sig, "outbox", "bad-signature");
    this.#runOrVoid(a);
    const after = sideById(this.model, item.side)!;
    after.outseq = item.seq + 1;
    after.outprev = hashItem(signed.item);
    after.acts += this.ids.length;
  }

  /** An item whose act lost its object to somebody faster is ordered without effect. */
  #runOrVoid(a: DecodedAct): void {
    const before = clone(this.model);
    try {
      this.run(a);
    } catch (e) {
      if (!(e instanceof ProblemError) || !overtaken.has(e.code)) throw e;
      this.model = before;
      this.ids = this.seen.has(hex(a.id)) ? [] : [a.id];
      this.effects = [];
      this.effect({ kind: "void", act: a.id, side: a.act.side, code: e.code });
    }
  }

  /** run checks what every act must be, then runs its rule. */
  run(a: DecodedAct): void {
    const rule = ruleOf(a.act.kind);
    if (rule === undefined) throw problem("malformed", { what: "kind" });
    if (!equal(a.act.scope, this.model.scope)) throw problem("unknown-session");
    this.check("ed25519", a.act.key, contextAct, a.raw, a.sig, "act", "bad-signature");
    if (this.seen.has(hex(a.id))) throw problem("replayed");
    const started = this.model.next !== 0;
    if (a.act.kind === "plan" && started) throw problem("already-done");
    if (a.act.kind !== "plan" && !started) throw problem("not-in-force");
    if (started && sideById(this.model, a.act.side) === undefined) throw problem("not-yours");
    this.ids.push(a.id);
    rule.run(this, a);
  }

  check(
    alg: Check["alg"],
    key: Uint8Array,
    context: string,
    b: Uint8Array,
    signature: Uint8Array,
    what: string,
    code: string,
  ): void {
    this.checks.push({ alg, key, message: message(context, b), signature, what, code });
  }

  effect(e: Omit<Effect, "early">): void {
    this.effects.push({ ...e, early: false });
  }

  /** body reads the body of an act. */
  body<T>(shape: Shape<T>, a: DecodedAct): T {
    return read(shape, a.act.body, "body");
  }

  /** inForce refuses acts before the plan is agreed and after the close. */
  inForce(): void {
    const p = phase(this.model);
    if (p === "closed") throw problem("session-closed");
    if (p === "none" || p === "planned") throw problem("not-in-force");
  }

  /** running refuses what a suspended session does not allow, too. */
  running(): void {
    this.inForce();
    if (phase(this.model) === "suspended") throw problem("session-suspended");
  }

  /** officer requires the author to be an officer of its side, with a certificate in force. */
  officer(a: DecodedAct): void {
    const side = sideById(this.model, a.act.side);
    if (side === undefined) throw problem("not-yours");
    const o = officerOf(side, a.act.key);
    if (o === undefined) throw problem("not-officer");
    certInForce(o.from, o.until, this.at);
  }

  /** author requires the author to be a live member, and of the side it names. */
  author(a: DecodedAct): Member {
    const j = liveDevice(this.model, a.act.key);
    if (j === undefined) throw problem("not-joined");
    if (!equal(j.side, a.act.side)) throw problem("not-yours");
    return j;
  }

  /** side of the author; run has checked that there is one. */
  sideOf(a: DecodedAct): Side {
    return sideById(this.model, a.act.side)!;
  }
}

/** The refusals that an honest node could not foresee when it put an act in its outbox. */
const overtaken = new Set([
  "not-joined", "no-such-track", "already-done", "session-closed", "not-in-force", "replayed", "too-many",
  "accreditation-expired", "accreditation-early",
]); // prettier-ignore
