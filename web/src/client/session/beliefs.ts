// Attestations on the wire: one's own sent, those of others verified and heard.
import type { KeysClient } from "../../keys/client";
import type { Attested } from "../../keys/attest";
import type { GroupView } from "../../keys/messages";
import { attestationBytes } from "../../keys/attest";
import { equal, hex } from "../../words/bytes";
import { decode, encode } from "../../words/canon";
import { bytes, struct, uint } from "../../words/schema";
import { Attestations, type Belief } from "./attestations";
import { ProblemError } from "../problem";

/** Attestations are repeated, so that who reconnected hears them (signal.proto). */
const repeatEvery = 8_000;

export interface BeliefPorts {
  readonly keys: KeysClient;
  readonly scope: Uint8Array;
  relay(kind: "ready" | "attest", payload: Uint8Array): void;
  alarm(problem: ProblemError): void;
  changed(): void;
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

  constructor(ports: BeliefPorts) {
    this.#ports = ports;
  }

  /** entered begins an epoch: attests it and judges what others said of it. */
  async entered(view: GroupView, now: number): Promise<void> {
    this.#view = view;
    this.attestations.enter(beliefOf(attestedOf(this.#ports.scope, view)), now);
    this.#said = undefined;
    await this.#say(now);
    this.#judge();
  }

  /** ready tells the others that an epoch's key is held here. */
  ready(group: Uint8Array, epoch: bigint): void {
    this.#ports.relay("ready", encode({ epoch: Number(epoch), group }));
  }

  /** hear takes a relayed attestation of a member. What does not decode or verify proves nothing and changes nothing. */
  async hear(payload: Uint8Array, member: { join: Uint8Array; key: Uint8Array }): Promise<void> {
    const read = readAttestation(payload);
    if (read === undefined || !equal(read.attested.scope, this.#ports.scope)) return;
    const ok = await this.#ports.keys.ask("verify-attestation", { publicKey: member.key, ...read });
    if (!ok) return;
    if (!this.attestations.hear(hex(member.join), beliefOf(read.attested))) this.#fork();
    this.#judge();
    this.#ports.changed();
  }

  tick(now: number): void {
    if (this.#view !== undefined && now - this.#saidAt >= repeatEvery) void this.#say(now);
  }

  forget(): void {
    this.#view = this.#said = undefined;
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

  #judge(): void {
    if (this.attestations.differing().length > 0) this.#fork();
  }

  #fork(): void {
    this.#ports.alarm(new ProblemError("forked", { what: "attestation" }));
  }
}

function attestedOf(scope: Uint8Array, view: GroupView): Attested {
  return { scope, ...view.context };
}

function beliefOf(a: Attested): Belief {
  return { group: hex(a.groupId), epoch: a.epoch, tree: hex(a.treeHash), transcript: hex(a.confirmedTranscriptHash) };
}

function readAttestation(payload: Uint8Array): { attested: Attested; signature: Uint8Array } | undefined {
  try {
    const signed = decode(signedShape, payload);
    const a = decode(attestationShape, signed.body);
    const attested: Attested = { scope: a.scope, groupId: a.group, epoch: BigInt(a.epoch), treeHash: a.tree, confirmedTranscriptHash: a.transcript };
    // One meaning, one byte form: what was signed is what these fields say and nothing else.
    if (a.v !== 1 || !equal(attestationBytes(attested), signed.body)) return undefined;
    return { attested, signature: signed.ed25519 };
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
