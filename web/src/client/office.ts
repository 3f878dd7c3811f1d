// The office: an officer's acts in sessions, and what ends a person's presence everywhere at once.
import type { PlanDraft } from "../view/model";
import { fromHex, hex } from "../words/bytes";
import type { Author } from "./author";
import type { OfficerDesk } from "./officer";
import { ProblemError } from "./problem";
import type { Scopes } from "./session/scopes";
import type { Self } from "./self";

export interface OfficePorts {
  readonly desk: OfficerDesk;
  readonly scopes: Scopes;
  readonly author: Author;
  readonly self: Self;
}

const scopeSize = 32;
const hour = 60 * 60 * 1000;

export class Office {
  readonly #ports: OfficePorts;

  constructor(ports: OfficePorts) {
    this.#ports = ports;
  }

  /** propose opens a scope of its own: entry 0 of its log is the plan. */
  async propose(draft: PlanDraft): Promise<void> {
    const { desk, self, scopes, author } = this.#ports;
    if (self.side === undefined) throw new ProblemError("node-unreachable");
    await desk.refresh(); // the other side's introduction came with its link, perhaps after this page was opened
    const scope = crypto.getRandomValues(new Uint8Array(scopeSize));
    const act = await author.act(scope, "plan", desk.plan(draft, self.side));
    await scopes.begin(scope, act);
  }

  consent(scope: string, proposal: string): Promise<void> {
    return this.#act(scope, "consent", { to: fromHex(proposal) });
  }

  suspend(scope: string): Promise<void> {
    return this.#act(scope, "suspend", { reason: "officer", of: new Uint8Array() });
  }

  resume(scope: string): Promise<void> {
    return this.#act(scope, "resume", {});
  }

  /** extend proposes an hour more, from the end or, in overtime, from now. */
  async extend(scope: string, now: number): Promise<void> {
    const until = this.#ports.scopes.get(scope)?.log.state.until();
    if (until === undefined) throw new ProblemError("unknown-session");
    await this.#act(scope, "extend", { until: Math.max(until, Math.floor(now)) + hour });
  }

  close(scope: string): Promise<void> {
    return this.#act(scope, "close", {});
  }

  /** revoke ends the accreditation in the registry, and the presence in every session that seats the person. */
  async revoke(person: string, device: string, reason: string): Promise<void> {
    const { desk, scopes, author } = this.#ports;
    const revocation = await desk.revoke(person, device, reason);
    const own = hex(author.side);
    const seated = scopes.all().filter(({ log }) => {
      const phase = log.state.phase();
      return (phase === "agreed" || phase === "suspended") && log.state.seats().some((s) => s.person === person && hex(s.side) === own);
    });
    await Promise.all(seated.map((f) => this.#act(f.id, "revoke", { revocation })));
  }

  async #act(scope: string, kind: string, body: object): Promise<void> {
    const { scopes, author } = this.#ports;
    const broken = scopes.get(scope)?.log.broken;
    if (broken !== undefined) throw broken; // nothing is agreed to on the word of a log that is not believed
    await scopes.submit(scope, await author.act(fromHex(scope), kind, body));
  }
}
