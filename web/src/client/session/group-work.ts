// What the group asks of this member: the policy (engine/group.ts) says what, this file has it done and tells when to ask again.
import { Policy, viewOf, type View } from "../../engine/group";
import { empty, hex } from "../../words/bytes";
import type { State } from "../../engine/session/state";
import type { Author, MadeAct } from "../author";
import { asProblem, type ProblemError } from "../problem";
import type { Epochs } from "./epochs";

export interface GroupWorkPorts {
  readonly author: Author;
  readonly scope: Uint8Array;
  readonly log: { readonly state: State };
  readonly epochs: Epochs;
  join(): Uint8Array | undefined;
  submit(made: MadeAct): Promise<void>;
  /** rejoin joins anew: the state of the group is lost. */
  rejoin(): void;
  warn(problem: ProblemError): void;
  now(): number;
  wake(at: number): void;
}

/** Refusals that say no more than "somebody was faster": the policy looks again. */
const overtaken = new Set(["stale-epoch", "already-done", "not-committer", "session-suspended", "replayed", "commit-claims", "node-unreachable"]);

const groupIdSize = 32;

export class GroupWork {
  readonly #ports: GroupWorkPorts;
  readonly #policy = new Policy();
  /** Joins that no commit could be made with: a KeyPackage that has expired, or a key that takes nothing. */
  readonly #unfit = new Set<string>();
  /** After a failure joins are added one by one, so that it is seen whose it is. */
  #oneByOne = false;
  #outstanding = false;

  constructor(ports: GroupWorkPorts) {
    this.#ports = ports;
  }

  look(now: number): void {
    const { epochs, log } = this.#ports;
    const view = epochs.view;
    const action = this.#policy.next(
      this.#fit(viewOf(log.state)),
      {
        join: this.#ports.join() ?? empty,
        group: view?.context.groupId ?? empty,
        epoch: view === undefined ? 0 : Number(view.context.epoch),
        outstanding: this.#outstanding,
        updatedAt: epochs.updatedAt,
      },
      now,
    );
    switch (action.kind) {
      case "nothing":
        return;
      case "wait":
        this.#ports.wake(action.until);
        return;
      case "rejoin":
        this.#ports.rejoin();
        return;
      case "found":
        void this.#found();
        return;
      case "commit":
        void this.#commit(action.adds, action.removes);
        return;
    }
  }

  /** One join that cannot be added must not keep the others out, nor make every committer give up its own leaf. */
  #fit(view: View): View {
    const adds = view.adds.filter((join) => !this.#unfit.has(hex(join)));
    return { ...view, adds: this.#oneByOne ? adds.slice(0, 1) : adds };
  }

  #unable(adds: readonly Uint8Array[]): void {
    this.#oneByOne = adds.length > 1;
    if (adds.length === 1) this.#unfit.add(hex(adds[0]!));
    this.#ports.wake(this.#ports.now());
  }

  async #found(): Promise<void> {
    const { author, epochs, scope } = this.#ports;
    const join = this.#ports.join();
    if (join === undefined) return;
    this.#outstanding = true;
    const group = crypto.getRandomValues(new Uint8Array(groupIdSize));
    let sent: Promise<void> | undefined;
    await epochs.found(group, async () => {
      const act = await author.act(scope, "group-new", { group, join });
      sent = this.#send(act);
      return act.id;
    });
    await sent;
    this.#outstanding = false;
    if (sent !== undefined) this.look(this.#ports.now());
  }

  async #commit(adds: readonly Uint8Array[], removes: readonly number[]): Promise<void> {
    const { author, epochs, log, scope } = this.#ports;
    const { id: group, epoch } = log.state.group();
    const keyPackages = adds.map((join) => log.state.member(join)?.keypackage ?? empty);
    this.#outstanding = true;
    let sent: Promise<void> | undefined;
    await epochs.commit({ adds: keyPackages, removes: [...removes], roster: log.state.leafRoster() }, async (message, welcome) => {
      const act = await author.act(scope, "commit", { group, epoch, adds, removes, message, welcome });
      sent = this.#send(act);
      return act.id;
    }, () => this.#unable(adds));
    await sent;
    this.#outstanding = false;
    if (sent !== undefined) this.look(this.#ports.now());
  }

  async #send(act: MadeAct): Promise<void> {
    try {
      await this.#ports.submit(act);
    } catch (e) {
      const problem = asProblem(e);
      if (!overtaken.has(problem.code)) this.#ports.warn(problem);
      await this.#ports.epochs.refused(act.id);
    }
  }
}

