// One member's group, moved by the log and by nothing else.
//
// A commit made here is staged and waits; the log orders it (confirm), or orders another one in its place (discard, process the
// winner). Each new epoch is taken for receiving at once, told to the others, attested, and used for sending when all hold it
// or their time is over (seal/switch.ts).
import type { KeysClient } from "../../keys/client";
import { hex } from "../../words/bytes";
import type { GroupView as KeysView } from "../../keys/messages";
import type { SealRequest } from "../../seal/messages";
import { EpochSwitch, type SwitchEffect } from "../../seal/switch";
import { read } from "../../words/act";
import { commitBody } from "../../words/body";
import type { LeafEntry, Member } from "../../engine/session/state";
import type { Applied, GroupBefore } from "./scope-log";

export interface EpochPorts {
  readonly keys: KeysClient;
  readonly scope: Uint8Array;
  tell(request: SealRequest): void;
  /** ready tells every other member that this epoch's key is held. */
  ready(group: Uint8Array, epoch: bigint): void;
  keyFrames(): void;
  /** entered is told of every epoch that is now held. */
  entered(view: KeysView): void;
  /** out: this member has been removed, or its keys do not fit the log any more; it must join anew. */
  out(reason: unknown): void;
  now(): number;
  nodeNow(): number;
  wake(at: number): void;
}

export interface OwnMember {
  /** Hex of the join act id. */
  readonly join: string;
  readonly handle: number;
}

interface Staged {
  readonly act: string;
  readonly pending: number;
}

export class Epochs {
  readonly #ports: EpochPorts;
  readonly #switch = new EpochSwitch();
  #me: OwnMember | undefined;
  #view: KeysView | undefined;
  #founding: { act: string; view: KeysView } | undefined;
  #staged: Staged | undefined;
  #queue: Promise<void> = Promise.resolve();
  #sending: bigint | undefined;
  #updatedAt = 0;

  constructor(ports: EpochPorts) {
    this.#ports = ports;
  }

  /** view is the epoch that is held, undefined before the Welcome. */
  get view(): KeysView | undefined {
    return this.#view;
  }

  /** sending is the epoch that frames are sealed with, undefined while nothing may be sent. */
  get sending(): bigint | undefined {
    return this.#sending;
  }

  /** updatedAt is when this member's leaf last got a fresh key, ms. */
  get updatedAt(): number {
    return this.#updatedAt;
  }

  /** become takes the member of a fresh join; what an earlier join held is dropped. */
  become(me: OwnMember): Promise<void> {
    return this.#enqueue(async () => {
      await this.#drop();
      this.#me = me;
    });
  }

  /** found makes a group of one's own; it counts when the log has ordered the act that made() returns. */
  found(group: Uint8Array, made: () => Promise<string>): Promise<void> {
    return this.#enqueue(async () => {
      if (this.#me === undefined || this.#founding !== undefined) return;
      const view = await this.#ports.keys.ask("create", { member: this.#me.handle, scope: hex(this.#ports.scope), groupId: group });
      this.#founding = { view, act: await made() };
    });
  }

  /**
   * commit stages a commit; made() sends the act that carries it and returns the act's id. What cannot be staged with somebody to add
   * says nothing of one's own keys: unable() is told, and the group stays as it is.
   */
  commit(
    request: { adds: Uint8Array[]; removes: number[]; roster: readonly LeafEntry[] },
    made: (message: Uint8Array, welcome: Uint8Array) => Promise<string>,
    unable: () => void,
  ): Promise<void> {
    return this.#enqueue(async () => {
      if (this.#view === undefined || this.#staged !== undefined) return;
      const { adds, removes } = request;
      const args = { group: this.#view.group, adds, removes, roster: rosterOf(request.roster), now: this.#ports.nodeNow() };
      const staged = await this.#ports.keys.ask("commit", args).catch((e: unknown) => {
        if (adds.length === 0) throw e;
        return undefined;
      });
      if (staged === undefined) return unable();
      this.#staged = { pending: staged.pending, act: await made(staged.message, staged.welcome ?? new Uint8Array()) };
    });
  }

  /** refused drops what was staged or founded under an act that the log will never hold. */
  refused(act: string): Promise<void> {
    return this.#enqueue(async () => {
      if (this.#staged?.act === act) await this.#discard();
      if (this.#founding?.act === act) {
        await this.#close(this.#founding.view.group);
        this.#founding = undefined;
        this.#ports.out("founding refused"); // the member was used up by its group
      }
    });
  }

  /** applied takes an entry that moves a group. */
  applied(a: Applied): Promise<void> {
    return this.#enqueue(async () => {
      if (this.#me === undefined || a.before === undefined) return;
      if (a.act.kind === "group-new") await this.#newGroup(a);
      if (a.act.kind === "commit") await this.#commitOrdered(a, a.before);
    });
  }

  /** ready takes another member's word that it holds an epoch's key. */
  ready(leaf: number, group: string, epoch: bigint): void {
    if (this.#view === undefined || hex(this.#view.context.groupId) === group) this.#run(this.#switch.ready(this.#ports.now(), leaf, epoch));
  }

  tick(): void {
    this.#run(this.#switch.tick(this.#ports.now()));
  }

  suspend(): void {
    this.#run(this.#switch.suspend());
  }

  resume(): void {
    this.#run(this.#switch.resume());
  }

  end(): Promise<void> {
    return this.#enqueue(async () => {
      await this.#drop();
      this.#ports.tell({ kind: "forget-scope", scope: hex(this.#ports.scope) });
    });
  }

  /** keyLost: the seal cannot seal with the epoch it was told to. Nothing leaves under an older one; this member joins anew. */
  keyLost(): Promise<void> {
    return this.#enqueue(() => Promise.reject(new Error("the seal lacks the key of the epoch")));
  }

  async #newGroup(a: Applied): Promise<void> {
    if (this.#founding?.act === a.id) {
      const { view } = this.#founding;
      this.#founding = undefined;
      this.#updatedAt = this.#ports.now();
      this.#moved(view, false);
      return;
    }
    // Somebody else's group took the place of whatever was held here.
    if (this.#view !== undefined || this.#founding !== undefined) this.#ports.out("another group");
  }

  async #commitOrdered(a: Applied, before: GroupBefore): Promise<void> {
    const body = read(commitBody, a.act.body, "body");
    const own = this.#me?.join;
    const current = this.#view;
    if (current === undefined) {
      if (body.adds.some((join) => hex(join) === own)) await this.#welcome(body.group, BigInt(body.epoch) + 1n, body.welcome, before);
      return;
    }
    if (hex(body.group) !== hex(current.context.groupId)) return;
    const removed = body.removes.length > 0;
    if (this.#staged?.act === a.id) {
      const { pending } = this.#staged;
      this.#staged = undefined;
      this.#updatedAt = this.#ports.now();
      this.#moved(await this.#ports.keys.ask("confirm", { group: current.group, pending }), removed);
      return;
    }
    await this.#discard();
    const committer = before.roster.find((l) => hex(l.key) === hex(authorKey(before.members, a)));
    const adds = await Promise.all(body.adds.map((join) => this.#reference(before.members, join)));
    const expected = { committerLeaf: committer?.leaf ?? -1, adds, removes: body.removes };
    const view = await this.#ports.keys.ask("process", { group: current.group, commit: body.message, expected, roster: rosterOf(before.roster) });
    if (view === null) {
      this.#view = undefined;
      this.#silence();
      this.#ports.out("removed");
    } else this.#moved(view, removed);
  }

  async #welcome(groupId: Uint8Array, epoch: bigint, welcome: Uint8Array, before: GroupBefore): Promise<void> {
    const member = this.#me?.handle;
    if (member === undefined) return;
    const scope = hex(this.#ports.scope);
    this.#updatedAt = this.#ports.now();
    this.#moved(await this.#ports.keys.ask("join", { member, scope, welcome, groupId, roster: rosterOf(before.roster), epoch }), false);
  }

  #reference(members: readonly Member[], join: Uint8Array): Promise<Uint8Array> {
    const found = members.find((m) => hex(m.join) === hex(join));
    return this.#ports.keys.ask("key-package-ref", { keyPackage: found?.keypackage ?? new Uint8Array() });
  }

  #moved(view: KeysView, removed: boolean): void {
    const another = this.#view !== undefined && hex(this.#view.context.groupId) !== hex(view.context.groupId);
    if (another) this.#switch.reset();
    this.#view = view;
    const others = view.leaves.map((l) => l.index).filter((i) => i !== view.ownLeaf);
    this.#run(this.#switch.newEpoch(this.#ports.now(), { epoch: view.context.epoch, others, removed }));
    this.#ports.entered(view);
  }

  #run(effects: readonly SwitchEffect[]): void {
    const scope = hex(this.#ports.scope);
    for (const e of effects) {
      switch (e.kind) {
        case "announce-ready":
          if (this.#view !== undefined) this.#ports.ready(this.#view.context.groupId, e.epoch);
          break;
        case "send":
          if (this.#view === undefined) break;
          this.#sending = e.epoch;
          this.#ports.tell({ kind: "send-epoch", scope, group: hex(this.#view.context.groupId), epoch: e.epoch });
          break;
        case "stop":
          this.#sending = undefined;
          this.#ports.tell({ kind: "stop", scope });
          break;
        case "key-frame":
          this.#ports.keyFrames();
          break;
      }
    }
    if (this.#switch.wakeAt !== undefined) this.#ports.wake(this.#switch.wakeAt);
  }

  async #discard(): Promise<void> {
    const staged = this.#staged;
    this.#staged = undefined;
    if (staged !== undefined && this.#view !== undefined) await this.#ports.keys.ask("discard", { group: this.#view.group, pending: staged.pending }).catch(() => null);
  }

  async #drop(): Promise<void> {
    for (const handle of [this.#view?.group, this.#founding?.view.group, this.#me?.handle]) if (handle !== undefined) await this.#close(handle);
    this.#view = this.#founding = this.#staged = this.#me = undefined;
    this.#silence();
  }

  /** Nothing is sent until there is another epoch; a resume of the session does not bring the old one back. */
  #silence(): void {
    this.#switch.reset();
    this.#run([{ kind: "stop" }]);
  }

  async #close(handle: number): Promise<void> {
    await this.#ports.keys.ask("close", { handle }).catch(() => null);
  }

  /** Work on the group is done in the order of the log; what fails ends the membership, not the queue. */
  #enqueue(work: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(work).catch((e: unknown) => {
      this.#silence(); // a commit that could not be followed may have removed somebody
      this.#ports.out(e);
    });
    return this.#queue;
  }
}

function rosterOf(entries: readonly LeafEntry[]): { identity: Uint8Array; signatureKey: Uint8Array }[] {
  return entries.map((e) => ({ identity: e.identity, signatureKey: e.key }));
}

function authorKey(members: readonly Member[], a: Applied): Uint8Array {
  const author = members.findLast((m) => m.state === "live" && hex(m.device) === hex(a.act.key));
  return author?.key ?? new Uint8Array();
}
