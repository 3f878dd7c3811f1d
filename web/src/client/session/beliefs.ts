// Attestations on the wire: one's own sent, those of others verified and heard, and all of them weighed (split.ts).
import type { KeysClient } from "../../keys/client";
import type { Attested } from "../../keys/attest";
import type { GroupView } from "../../keys/messages";
import { attestationBytes, attestationContext } from "../../keys/attest";
import { equal, hex } from "../../words/bytes";
import { decode, encode, message } from "../../words/canon";
import { bytes, struct, uint } from "../../words/schema";
import { Attestations, type Belief } from "./attestations";
import type { Statement } from "./evidence";
import { judge } from "./split";
import { ProblemError } from "../problem";

/** Attestations are repeated, so that who reconnected hears them (signal.proto). */
const repeatEvery = 8_000;

export interface BeliefPorts {
  readonly keys: KeysClient;
  readonly scope: Uint8Array;
  relay(kind: "ready" | "attest", payload: Uint8Array): void;
  /** members are those who hold a leaf of the group that is held here, oneself among them. */
  members(): readonly Believer[];
  /** alarm: the group is split, for all that anybody can tell. */
  alarm(problem: ProblemError): void;
  /** named: one more member attests otherwise than all others. */
  named(): void;
  evidence(statements: readonly Statement[]): void;
  changed(): void;
  now(): number;
}

export interface Believer {
  readonly join: string;
  /** Hex of the side's id. */
  readonly side: string;
  readonly device: string;
  readonly own: boolean;
}

/** What a member signed, as it was received. */
interface Paper extends Statement {
  readonly join: string;
  readonly belief: Belief;
}

const signedShape = struct({ body: bytes, ed25519: bytes });
const attestationShape = struct({ v: uint, tree: bytes, epoch: uint, group: bytes, scope: bytes, transcript: bytes });
const readyShape = struct({ epoch: uint, group: bytes });

export class Beliefs {
  readonly attestations = new Attestations();
  readonly #ports: BeliefPorts;
  #view: GroupView | undefined;
  #said: Uint8Array | undefined;
  #saidAt = 0;
  /** Devices that attested otherwise than all others. They stay named: accredited on another device, the person is heard again. */
  readonly #named = new Set<string>();
  /** The newest statements of each join, two of one epoch if they contradict each other. */
  readonly #papers = new Map<string, readonly Paper[]>();
  #doubt = false;
  #forked = false;

  constructor(ports: BeliefPorts) {
    this.#ports = ports;
  }

  /** doubt says that somebody attests otherwise and not all have spoken: nothing is sent. */
  get doubt(): boolean {
    return this.#doubt;
  }

  /** isNamed says that a device attested otherwise than all others: nothing of it is opened any more. */
  isNamed(device: string): boolean {
    return this.#named.has(device);
  }

  /** entered begins an epoch: attests it and judges what others said of it. */
  async entered(view: GroupView, now: number): Promise<void> {
    this.#view = view;
    this.attestations.enter(beliefOf(attestedOf(this.#ports.scope, view)), now);
    this.#said = undefined;
    await this.#say(now);
    this.#weigh();
  }

  /** ready tells the others that an epoch's key is held here. */
  ready(group: Uint8Array, epoch: bigint): void {
    this.#ports.relay("ready", encode({ epoch: Number(epoch), group }));
  }

  /** hear takes a relayed attestation of a member. What does not decode or verify proves nothing and changes nothing. */
  async hear(payload: Uint8Array, member: { join: Uint8Array; key: Uint8Array; side: Uint8Array; person: string }): Promise<void> {
    const read = readAttestation(payload);
    if (read === undefined || !equal(read.attested.scope, this.#ports.scope)) return;
    const ok = await this.#ports.keys.ask("verify-attestation", { publicKey: member.key, attested: read.attested, signature: read.signature });
    if (!ok) return;
    const belief = beliefOf(read.attested);
    const join = hex(member.join);
    this.#file(join, { join, belief, by: `${hex(member.side)}/${member.person}`, key: member.key, message: read.message, signature: read.signature });
    this.attestations.hear(join, belief);
    this.#weigh();
    this.#ports.changed();
  }

  tick(now: number): void {
    if (this.#view !== undefined && now - this.#saidAt >= repeatEvery) void this.#say(now);
    this.#weigh();
  }

  forget(): void {
    this.#view = this.#said = undefined;
    this.#doubt = false;
    this.#papers.clear();
    this.attestations.forget();
  }

  async #say(now: number): Promise<void> {
    const view = this.#view;
    if (view === undefined) return;
    this.#saidAt = now;
    const attested = attestedOf(this.#ports.scope, view);
    try {
      this.#said ??= await this.#ports.keys.ask("attest", { group: view.group, scope: this.#ports.scope });
    } catch {
      return; // the group was closed meanwhile
    }
    if (this.#view === view) this.#ports.relay("attest", encode({ body: attestationBytes(attested), ed25519: this.#said }));
  }

  /** #weigh judges what all have said so far. */
  #weigh(): void {
    const view = this.#view;
    if (view === undefined || this.#forked) return;
    const members = this.#ports.members();
    const voices = members.map((m) => ({
      join: m.join,
      side: m.side,
      says: m.own ? ("agrees" as const) : this.attestations.of(m.join),
      named: !m.own && (this.#named.has(m.device) || this.attestations.contradictory(m.join)),
    }));
    const verdict = judge(voices, this.attestations.overdue(this.#ports.now()));
    const doubt = verdict.kind === "open";
    const fresh = members.filter((m) => !m.own && !this.#named.has(m.device) && (this.attestations.contradictory(m.join) || (verdict.kind === "named" && verdict.joins.includes(m.join))));
    for (const m of fresh) this.#named.add(m.device);
    if (fresh.length > 0) {
      this.#prove(view, fresh.map((m) => m.join));
      this.#ports.named();
    }
    if (verdict.kind === "fork") {
      this.#forked = true;
      this.#prove(view, voices.filter((v) => v.says === "differs").map((v) => v.join));
      this.#ports.alarm(new ProblemError("forked", { what: "attestation" }));
    }
    if (doubt !== this.#doubt) {
      this.#doubt = doubt;
      this.#ports.changed();
    }
  }

  #file(join: string, paper: Paper): void {
    const before = (this.#papers.get(join) ?? []).filter((p) => p.belief.group === paper.belief.group && p.belief.epoch === paper.belief.epoch);
    const known = before.some((p) => p.belief.tree === paper.belief.tree && p.belief.transcript === paper.belief.transcript);
    if (!known && before.length < 2) this.#papers.set(join, [...before, paper]);
  }

  /** #prove keeps what these members signed, beside one's own statement and that of everybody who agrees with it. */
  #prove(view: GroupView, joins: readonly string[]): void {
    const otherwise = joins.flatMap((join) => this.#papers.get(join) ?? []);
    const alike = [...this.#papers].flatMap(([join, papers]) => (this.attestations.of(join) === "agrees" && !joins.includes(join) ? papers.slice(0, 1) : []));
    const attested = attestedOf(this.#ports.scope, view);
    const own = this.#said;
    const key = view.leaves.find((l) => l.index === view.ownLeaf)?.signatureKey;
    const mine: Statement[] =
      own === undefined || key === undefined ? [] : [{ by: "own", key, message: message(attestationContext, attestationBytes(attested)), signature: own }];
    this.#ports.evidence([...otherwise, ...mine, ...alike].map(({ by, key: k, message: m, signature }) => ({ by, key: k, message: m, signature })));
  }
}

function attestedOf(scope: Uint8Array, view: GroupView): Attested {
  return { scope, ...view.context };
}

function beliefOf(a: Attested): Belief {
  return { group: hex(a.groupId), epoch: a.epoch, tree: hex(a.treeHash), transcript: hex(a.confirmedTranscriptHash) };
}

function readAttestation(payload: Uint8Array): { attested: Attested; signature: Uint8Array; message: Uint8Array } | undefined {
  try {
    const signed = decode(signedShape, payload);
    const a = decode(attestationShape, signed.body);
    const attested: Attested = { scope: a.scope, groupId: a.group, epoch: BigInt(a.epoch), treeHash: a.tree, confirmedTranscriptHash: a.transcript };
    // One meaning, one byte form: what was signed is what these fields say and nothing else.
    if (a.v !== 1 || !equal(attestationBytes(attested), signed.body)) return undefined;
    return { attested, signature: signed.ed25519, message: message(attestationContext, signed.body) };
  } catch {
    return undefined;
  }
}

/** readReady reads a ready note; undefined for bytes that are none. */
export function readReady(payload: Uint8Array): { group: string; epoch: bigint } | undefined {
  try {
    const { epoch, group } = decode(readyShape, payload);
    return { epoch: BigInt(epoch), group: hex(group) };
  } catch {
    return undefined;
  }
}
