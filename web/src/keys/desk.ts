// The MLS worker's work without the worker: handles in, views out, one request at a time. Runs in tests as it is.

import type { CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js";
import type { EpochKey } from "../seal/messages.js";
import { verifyAttestation } from "./attest.js";
import { KeysError } from "./errors.js";
import { Group, type Pending } from "./group.js";
import { keyPackageRef, Member } from "./member.js";
import type { GroupView, KeysOperation, KeysOperations, KeysRequest, KeysResponse } from "./messages.js";
import { hex, wipe } from "./octets.js";

/** Where base keys go: the port to the seal worker. */
export type KeySink = (key: EpochKey) => void;

interface Held {
  readonly group: Group;
  readonly scope: string;
  readonly pending: Map<number, Pending>;
}

type In<O extends KeysOperation> = KeysOperations[O]["in"];
type Out<O extends KeysOperation> = Promise<KeysOperations[O]["out"]>;

export class Desk {
  readonly #suite: CiphersuiteImpl;
  readonly #importBase: (raw: Uint8Array) => Promise<CryptoKey>;
  #members = new Map<number, Member>();
  #groups = new Map<number, Held>();
  #next = 1;
  #sink: KeySink | undefined;
  /** Group and epoch whose counters may have started in some seal worker. */
  #handedOut = new Set<string>();
  #queue: Promise<unknown> = Promise.resolve();

  constructor(suite: CiphersuiteImpl, importBase: (raw: Uint8Array) => Promise<CryptoKey>) {
    this.#suite = suite;
    this.#importBase = importBase;
  }

  /** A new seal worker: it gets the present keys, for receiving only where another may have sealed already. */
  attach(sink: KeySink): Promise<void> {
    const run = this.#queue.then(async () => {
      this.#sink = sink;
      for (const h of this.#groups.values()) await this.#handOut(h);
    });
    this.#queue = run;
    return run;
  }

  /** Answers one request; requests are answered in order, never two at once. */
  answer(r: Exclude<KeysRequest, { op: "seal-port" }>): Promise<KeysResponse> {
    const run = this.#queue.then(async (): Promise<KeysResponse> => {
      try {
        return { id: r.id, ok: true, value: await this.#do(r) };
      } catch (e) {
        const refused = e instanceof KeysError ? e : new KeysError("invalid", e instanceof Error ? e.message : "unknown");
        return { id: r.id, ok: false, code: refused.code, detail: refused.message };
      }
    });
    this.#queue = run;
    return run;
  }

  #do(r: Exclude<KeysRequest, { op: "seal-port" }>): Promise<unknown> {
    switch (r.op) {
      case "make-member":
        return this.#makeMember(r);
      case "key-package-ref":
        return keyPackageRef(this.#suite, r.keyPackage);
      case "create":
        return this.#create(r);
      case "join":
        return this.#join(r);
      case "commit":
        return this.#commit(r);
      case "confirm":
        return this.#confirm(r);
      case "discard":
        return this.#discard(r);
      case "process":
        return this.#process(r);
      case "view":
        return Promise.resolve(this.#view(r.group));
      case "fingerprint":
        return this.#held(r.group).group.fingerprint();
      case "attest":
        return this.#held(r.group).group.attest(r.scope);
      case "verify-attestation":
        return this.#verifyAttestation(r);
      case "close":
        return this.#close(r.handle);
    }
  }

  async #makeMember(r: In<"make-member">): Out<"make-member"> {
    const m = await Member.make(this.#suite, r);
    const member = this.#next++;
    this.#members.set(member, m);
    const ref = await keyPackageRef(this.#suite, m.keyPackage);
    return { member, keyPackage: m.keyPackage, keyPackageRef: ref, signaturePublicKey: m.signaturePublicKey };
  }

  async #create(r: In<"create">): Out<"create"> {
    return this.#hold(r.scope, await Group.create(this.#member(r.member), r.groupId), r.member);
  }

  async #join(r: In<"join">): Out<"join"> {
    const g = await Group.join(this.#member(r.member), r.welcome, { groupId: r.groupId, roster: r.roster, epoch: r.epoch });
    return this.#hold(r.scope, g, r.member);
  }

  async #commit(r: In<"commit">): Out<"commit"> {
    const h = this.#held(r.group);
    const staged = await h.group.commit(r);
    const pending = this.#next++;
    h.pending.set(pending, staged.pending);
    return { pending, message: staged.message, welcome: staged.welcome };
  }

  async #confirm(r: In<"confirm">): Out<"confirm"> {
    const h = this.#held(r.group);
    h.group.confirm(this.#pending(h, r.pending));
    return this.#moved(r.group, h);
  }

  async #discard(r: In<"discard">): Out<"discard"> {
    const h = this.#held(r.group);
    h.group.discard(this.#pending(h, r.pending));
    h.pending.delete(r.pending);
    return null;
  }

  async #process(r: In<"process">): Out<"process"> {
    const h = this.#held(r.group);
    const { outcome } = await h.group.process(r.commit, r.expected, r.roster);
    if (outcome === "removed") {
      this.#groups.delete(r.group);
      return null;
    }
    return this.#moved(r.group, h);
  }

  async #verifyAttestation(r: In<"verify-attestation">): Out<"verify-attestation"> {
    try {
      await verifyAttestation(this.#suite.signature, r.publicKey, r.attested, r.signature);
      return true;
    } catch {
      return false;
    }
  }

  async #close(handle: number): Out<"close"> {
    this.#groups.get(handle)?.group.close();
    this.#groups.delete(handle);
    this.#members.get(handle)?.close();
    this.#members.delete(handle);
    return null;
  }

  async #hold(scope: string, group: Group, member: number): Promise<GroupView> {
    this.#members.delete(member);
    const handle = this.#next++;
    const h: Held = { group, scope, pending: new Map() };
    this.#groups.set(handle, h);
    await this.#handOut(h);
    return this.#view(handle);
  }

  async #moved(handle: number, h: Held): Promise<GroupView> {
    h.pending.clear();
    await this.#handOut(h);
    return this.#view(handle);
  }

  /** Derives the epoch's base key and hands it to the seal worker as a key that cannot be read. */
  async #handOut(h: Held): Promise<void> {
    if (this.#sink === undefined) return;
    const { groupId, epoch } = h.group.context();
    const group = hex(groupId);
    const raw = await h.group.exporter();
    const base = await this.#importBase(raw);
    wipe(raw);
    const id = `${group}/${epoch}`;
    const sendable = !this.#handedOut.has(id);
    this.#handedOut.add(id);
    this.#sink({ kind: "epoch-key", scope: h.scope, group, epoch, leaf: h.group.ownLeaf, base, sendable });
  }

  #view(handle: number): GroupView {
    const { group } = this.#held(handle);
    return { group: handle, ownLeaf: group.ownLeaf, context: group.context(), leaves: group.leaves() };
  }

  #held(handle: number): Held {
    const h = this.#groups.get(handle);
    if (h === undefined) throw new KeysError("closed");
    return h;
  }

  #member(handle: number): Member {
    const m = this.#members.get(handle);
    if (m === undefined) throw new KeysError("closed");
    return m;
  }

  #pending(h: Held, pending: number): Pending {
    const p = h.pending.get(pending);
    if (p === undefined) throw new KeysError("stale");
    return p;
  }
}
