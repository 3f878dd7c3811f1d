// A person in a session: the join, the keys, the tracks. It begins when the person enters and ends when the person leaves, is
// removed, or the session closes; it lives through reconnects, restarts of the node, lost keys and link losses in between.
import type { KeysClient } from "../../keys/client";
import type { Leaf as KeysLeaf } from "../../keys/group";
import type { GroupView as KeysView, KeysOperations } from "../../keys/messages";
import { equal, hex } from "../../words/bytes";
import type { SealRequest } from "../../seal/messages";
import type { Relay } from "../../wire/parley/v1/signal_pb";
import { contextSession } from "../../words/ident";
import type { Member } from "../../engine/session/state";
import type { Author } from "../author";
import { asProblem, ProblemError } from "../problem";
import { Beliefs, readReady, type Believer } from "./beliefs";
import type { Statement } from "./evidence";
import type { Attestation } from "./attestations";
import { Epochs } from "./epochs";
import { GroupWork } from "./group-work";
import type { Applied, ScopeLog } from "./scope-log";
import { leafIdentity } from "./spare";

export interface RoomPorts {
  readonly keys: KeysClient;
  readonly author: Author;
  readonly log: ScopeLog;
  readonly scope: Uint8Array;
  readonly person: string;
  accreditation(): Uint8Array;
  /** member gives a member for a leaf's identity, made anew or a moment ago. */
  member(identity: Uint8Array): Promise<KeysOperations["make-member"]["out"]>;
  /** submit sends an act and answers when it is in the log or the own outbox. */
  submit(made: Awaited<ReturnType<Author["act"]>>): Promise<void>;
  relay(kind: string, payload: Uint8Array): void;
  tell(request: SealRequest): void;
  keyFrames(): void;
  /** joined: a join is on its way; again: it replaces one of this device. */
  joined(again: boolean): void;
  changed(): void;
  alarm(problem: ProblemError): void;
  evidence(statements: readonly Statement[]): void;
  warn(problem: ProblemError): void;
  /** gone ends the room, with the reason if it was not the person's wish. */
  gone(problem: ProblemError | null): void;
  now(): number;
  /** The node's clock, for what others will compare with theirs. */
  nodeNow(): number;
  wake(at: number): void;
}

/**
 * A member that must go and is still in the group after this time, ms, silences everybody: whoever keeps the commit from being
 * ordered (a node that does not countersign is enough) would keep a revoked device listening.
 */
const removeWithin = 5_000;
/** Joining anew is never tried more often than this, ms. */
const rejoinEvery = 2_000;

export class Room {
  readonly epochs: Epochs;
  readonly beliefs: Beliefs;
  readonly #ports: RoomPorts;
  readonly #work: GroupWork;
  #join: { id: string; bytes: Uint8Array } | undefined;
  #joining: Promise<void> | undefined;
  #joinedAt = -Infinity;
  #fingerprint: readonly string[] | undefined;
  #forked: ProblemError | undefined;
  #ended = false;
  /** When each join that must go, by id, was first seen in the group. */
  #mustGo = new Map<string, number>();
  /** What members said of epochs that are not yet held here, by join: the newest of each. */
  readonly #early = new Map<string, { group: string; epoch: bigint }>();
  #overdue = false;

  constructor(ports: RoomPorts) {
    this.#ports = ports;
    const { keys, scope } = ports;
    this.beliefs = new Beliefs({
      keys,
      scope,
      relay: ports.relay,
      members: () => this.#believers(),
      alarm: (p) => this.#fork(p),
      named: ports.changed,
      evidence: ports.evidence,
      changed: () => this.look(),
      now: ports.now,
    });
    this.epochs = new Epochs({
      keys,
      scope,
      tell: ports.tell,
      ready: (group, epoch) => this.beliefs.ready(group, epoch),
      keyFrames: ports.keyFrames,
      entered: (view) => void this.#entered(view),
      out: (reason) => this.#out(reason),
      now: ports.now,
      nodeNow: ports.nodeNow,
      wake: ports.wake,
    });
    this.#work = new GroupWork({ ...ports, epochs: this.epochs, join: () => this.#join?.bytes, rejoin: () => this.#again() });
  }

  /** join is one's own join in the log, undefined before it has been ordered. */
  get member(): Member | undefined {
    return this.#join === undefined ? undefined : this.#ports.log.state.member(this.#join.bytes);
  }

  get joinId(): string | undefined {
    return this.#join?.id;
  }

  /** forked is the proof that members do not hold the same group; nothing is sent from then on. */
  get forked(): ProblemError | undefined {
    return this.#forked;
  }

  get fingerprint(): readonly string[] | undefined {
    return this.#fingerprint;
  }

  enter(): Promise<void> {
    return this.#joinAnew(false);
  }

  applied(a: Applied): void {
    if (this.#ended) return;
    for (const e of a.effects) {
      if (e.kind === "suspended") this.epochs.suspend();
      if (e.kind === "closed") this.epochs.suspend();
    }
    void this.epochs.applied(a);
    this.look();
  }

  /** look compares what the log says of oneself with what one believes, and does what the group needs. */
  look(): void {
    if (this.#ended) return;
    if (this.#ports.log.broken !== undefined) {
      this.epochs.suspend(); // removals are not heard of any more: what is sent now would be sealed for who may have had to go
      return;
    }
    const { state } = this.#ports.log;
    this.#watchRemovals(this.#ports.now());
    const silent = this.#overdue || this.beliefs.doubt;
    if (state.phase() === "suspended" || silent) this.epochs.suspend();
    if (state.phase() === "agreed" && this.#forked === undefined && !silent) this.epochs.resume();
    switch (this.member?.state) {
      case "live":
        this.#work.look(this.#ports.now());
        break;
      case "lost":
        this.#again();
        break;
      case "replaced":
        if (this.#isReplacedByOther()) this.#end(new ProblemError("replaced-by-other-device"));
        break;
      case "revoked":
        this.#end(new ProblemError("accreditation-revoked"));
        break;
      case "left":
        this.#end(null);
        break;
    }
    this.#ports.changed();
  }

  #watchRemovals(now: number): void {
    const joins = this.#ports.log.state.pendingRemoves().flatMap((r) => (r.must ? [hex(r.join)] : []));
    this.#mustGo = new Map(joins.map((join) => [join, this.#mustGo.get(join) ?? now]));
    const late = [...this.#mustGo.values()].some((since) => now - since >= removeWithin);
    // A node that keeps its countersignature back keeps the commit from being ordered: there is nothing to wait for.
    const overdue = late || (joins.length > 0 && this.#ports.log.unsigned(now) !== undefined);
    if (overdue && !this.#overdue) this.#ports.warn(new ProblemError("held-back", { what: "removal" }));
    this.#overdue = overdue;
  }

  /** reconnected is called when the log has been read up to now after a reconnect. */
  reconnected(): void {
    const view = this.epochs.view;
    if (view !== undefined) {
      this.beliefs.ready(view.context.groupId, view.context.epoch);
      void this.beliefs.entered(view, this.#ports.now());
    }
    this.look();
  }

  async relayed(r: Relay): Promise<void> {
    const member = this.#ports.log.state.memberOfDevice(r.device);
    if (member === undefined || !equal(member.side, r.side)) return;
    if (r.kind === "attest") await this.beliefs.hear(r.payload, member);
    if (r.kind === "ready") {
      const ready = readReady(r.payload);
      const join = hex(member.join);
      const leaf = this.leafOf(join);
      if (ready === undefined) return;
      // Others are ready before the Welcome has been worked through here; forgotten, it would cost a newcomer its whole second.
      if (leaf === null) this.#early.set(join, ready);
      else this.epochs.ready(leaf, ready.group, ready.epoch);
    }
  }

  /** leafOf is the leaf of a join in the group that is held here, never in one that only the log tells of. */
  leafOf(join: string): number | null {
    const entry = this.#ports.log.state.leafRoster().find((l) => hex(l.join) === join);
    if (entry === undefined) return null;
    const leaf = this.epochs.view?.leaves.find((l) => equal(l.signatureKey, entry.key) && equal(l.identity, entry.identity));
    return leaf?.index ?? null;
  }

  /** attests is what the member at a leaf said of this epoch. */
  attests(leaf: KeysLeaf): Attestation {
    const entry = this.#entryOf(leaf);
    return entry === undefined ? "awaited" : this.beliefs.attestations.of(hex(entry.join));
  }

  /** isNamed says that a join's device attested another group than all others: nothing of it is opened. */
  isNamed(join: string): boolean {
    const member = this.#ports.log.state.roster().findLast((m) => hex(m.join) === join);
    return member !== undefined && this.beliefs.isNamed(hex(member.device));
  }

  /** named lists the members so named who are still here. */
  named(): Member[] {
    return this.#ports.log.state.present().filter((m) => this.beliefs.isNamed(hex(m.device)));
  }

  #believers(): Believer[] {
    return (this.epochs.view?.leaves ?? []).flatMap((leaf) => {
      const join = this.#entryOf(leaf)?.join;
      const m = join === undefined ? undefined : this.#ports.log.state.member(join);
      if (m?.state !== "live") return [];
      return [{ join: hex(m.join), side: hex(m.side), device: hex(m.device), own: leaf.index === this.epochs.view?.ownLeaf }];
    });
  }

  /** personOf names the person at a leaf: side/person. */
  personOf(leaf: KeysLeaf): string {
    const entry = this.#entryOf(leaf);
    const member = entry === undefined ? undefined : this.#ports.log.state.member(entry.join);
    return member === undefined ? "" : `${hex(member.side)}/${member.person}`;
  }

  #entryOf(leaf: KeysLeaf) {
    return this.#ports.log.state.leafRoster().find((l) => equal(l.key, leaf.signatureKey) && equal(l.identity, leaf.identity));
  }

  async leave(): Promise<void> {
    if (this.member?.state === "live") {
      const act = await this.#ports.author.act(this.#ports.scope, "leave", { join: this.#join?.bytes });
      await this.#ports.submit(act);
    }
    this.#end(null);
  }

  tick(now: number): void {
    if (this.#ended) return;
    this.epochs.tick();
    this.beliefs.tick(now);
    this.look();
  }

  async end(): Promise<void> {
    this.#ended = true;
    this.beliefs.forget();
    await this.epochs.end();
  }

  async #entered(view: KeysView): Promise<void> {
    for (const [join, ready] of this.#early) {
      const leaf = this.leafOf(join);
      if (leaf !== null) this.epochs.ready(leaf, ready.group, ready.epoch);
    }
    this.#early.clear();
    await this.beliefs.entered(view, this.#ports.now());
    try {
      this.#fingerprint = (await this.#ports.keys.ask("fingerprint", { group: view.group })).words;
    } catch {
      this.#fingerprint = undefined; // moved on meanwhile; the next epoch brings its own
    }
    this.#ports.changed();
  }

  #joinAnew(again: boolean): Promise<void> {
    this.#joining ??= this.#makeJoin(again).finally(() => (this.#joining = undefined));
    return this.#joining;
  }

  async #makeJoin(again: boolean): Promise<void> {
    const { author, scope, person } = this.#ports;
    this.#joinedAt = this.#ports.now();
    this.beliefs.forget();
    const device = author.device.publicKey;
    const made = await this.#ports.member(leafIdentity(scope, author.side, person, device));
    const cert = { v: 1, scope, side: author.side, person, device, key: made.signaturePublicKey };
    const session = await author.statement(contextSession, cert);
    const act = await author.act(scope, "join", { accreditation: this.#ports.accreditation(), session, keypackage: made.keyPackage });
    this.#join = { id: act.id, bytes: act.idBytes };
    await this.epochs.become({ join: act.id, handle: made.member });
    const sent = this.#ports.submit(act);
    this.#ports.joined(again);
    await sent;
    this.look();
  }

  #again(): void {
    if (this.#joining !== undefined || this.#ended) return;
    const wait = this.#joinedAt + rejoinEvery - this.#ports.now();
    if (wait > 0) this.#ports.wake(this.#ports.now() + wait);
    else this.#joinAnew(true).catch((e: unknown) => this.#ports.warn(asProblem(e)));
  }

  /** A join of one's own that replaced the last one is known here; any other is another device, or another tab. */
  #isReplacedByOther(): boolean {
    return this.#joining === undefined;
  }

  #out(reason: unknown): void {
    if (this.#ended) return;
    if (reason instanceof Error && "code" in reason) this.#ports.warn(new ProblemError("commit-claims", { what: String(reason.code) }));
    this.#again();
  }

  #fork(problem: ProblemError): void {
    this.#forked = problem;
    this.epochs.suspend();
    this.#ports.alarm(problem);
  }

  #end(problem: ProblemError | null): void {
    if (this.#ended) return;
    void this.end();
    this.#ports.gone(problem);
  }
}
