// What an officer does: accreditations, revocations, links, plans and consents. The officer's own device signs; the node carries.
import type { Author } from "./author";
import type { AccreditDraft, PlanDraft } from "../view/model";
import { fromHex, hex } from "../words/bytes";
import { profile, planSideBody, type Plan, type PlanSide } from "../words/body";
import { decode } from "../words/canon";
import { accreditation as accreditationBody, contextAccreditation, contextRevocation, open, type Accreditation, type Revocation } from "../words/ident";
import type { OfficerReply, Side } from "../wire/parley/v1/signal_pb";
import { ProblemError } from "./problem";
import type { Socket } from "./socket";

export interface OfficerPorts {
  readonly socket: Socket;
  readonly author: Author;
  /** demonstration: this side's accreditations say so, as its officer is a script. */
  readonly verified: string;
  now(): number;
  changed(): void;
}

export class OfficerDesk {
  readonly #ports: OfficerPorts;
  #reply: OfficerReply | undefined;

  constructor(ports: OfficerPorts) {
    this.#ports = ports;
  }

  get reply(): OfficerReply | undefined {
    return this.#reply;
  }

  async refresh(): Promise<void> {
    await this.#ask({ case: "list", value: {} });
  }

  /** told takes the list that the node pushes when somebody asks, is accredited or is revoked. It says nothing of links. */
  told(reply: OfficerReply): void {
    this.#reply = { ...reply, links: this.#reply?.links ?? [] };
    this.#ports.changed();
  }

  /** accredit signs what the form says, for the very device whose words were compared. */
  async accredit(d: AccreditDraft): Promise<void> {
    const pending = this.#reply?.pending.find((p) => hex(p.id) === d.enrolment);
    if (pending === undefined) throw new ProblemError("already-done");
    const { author } = this.#ports;
    const body: Accreditation = {
      v: 1,
      side: author.side,
      person: d.person,
      name: { ...d.name },
      office: { ...d.office },
      role: d.role,
      formats: [...d.formats],
      device: pending.device,
      from: d.from,
      until: d.until,
      verified: this.#ports.verified,
      at: this.#now(),
      by: author.device.publicKey,
    };
    const signed = await author.statement(contextAccreditation, body);
    await this.#ask({ case: "accredit", value: { enrolment: pending.id, accreditation: signed } });
  }

  async decline(enrolment: string, reason: string): Promise<void> {
    await this.#ask({ case: "decline", value: { enrolment: fromHex(enrolment), reason } });
  }

  /** revoke ends a person's accreditation; it returns the statement, for the acts that end the person's presence. */
  async revoke(person: string, device: string, reason: string): Promise<Uint8Array> {
    const { author } = this.#ports;
    const body: Revocation = { v: 1, side: author.side, person, device: fromHex(device), reason, at: this.#now(), by: author.device.publicKey };
    const revocation = await author.statement(contextRevocation, body);
    await this.#ask({ case: "revoke", value: { revocation } });
    return revocation;
  }

  async addLink(card: string, address: string): Promise<void> {
    await this.#ask({ case: "addLink", value: { card: new TextEncoder().encode(card), address } });
  }

  async verifyLink(side: string, fingerprint: string): Promise<void> {
    await this.#ask({ case: "verifyLink", value: { side: fromHex(side), fingerprint } });
  }

  /** plan writes what a form says; the other side's chain is what its node said of itself over the verified link. */
  plan(d: PlanDraft, own: Side): Plan {
    const link = this.#reply?.links.find((l) => hex(l.side) === d.with);
    if (link === undefined || link.verified === "not-verified") throw new ProblemError("link-not-verified");
    if (link.introduction.length === 0) throw new ProblemError("link-lost"); // it was not up since the node started
    const theirs = decode(planSideBody, link.introduction);
    if (hex(theirs.id) !== d.with) throw new ProblemError("link-swapped-key");
    return {
      title: { ...d.title },
      status: d.status,
      sides: [introduction(own), theirs],
      sequencer: fromHex(d.sequencer),
      format: {
        id: "plenary",
        name: { ...d.formatName },
        seats: d.seats.map((s) => ({ side: fromHex(s.side), person: s.person, role: s.role })),
      },
      profile,
      recording: "none",
      from: d.from,
      until: d.until,
    };
  }

  async #ask(ask: Parameters<typeof askOf>[0]): Promise<void> {
    this.#reply = await this.#ports.socket.ask("officer", askOf(ask));
    this.#ports.changed();
  }

  #now(): number {
    return Math.floor(this.#ports.now());
  }
}

type Ask =
  | { case: "list"; value: object }
  | { case: "accredit"; value: { enrolment: Uint8Array; accreditation: Uint8Array } }
  | { case: "decline"; value: { enrolment: Uint8Array; reason: string } }
  | { case: "revoke"; value: { revocation: Uint8Array } }
  | { case: "addLink"; value: { card: Uint8Array; address: string } }
  | { case: "verifyLink"; value: { side: Uint8Array; fingerprint: string } };

function askOf(ask: Ask) {
  return { case: "officer" as const, value: { ask } };
}

/** introduction is a side as a plan names it. */
export function introduction(side: Side): PlanSide {
  return { id: side.id, name: { ...side.name }, language: side.language, zone: side.zone, delegation: side.delegation, node: side.nodeCert, officers: [...side.officerCerts] };
}

/** readAccreditation opens an accreditation for display; undefined for bytes that are none. */
export function readAccreditation(b: Uint8Array): Accreditation | undefined {
  try {
    return b.length === 0 ? undefined : open(accreditationBody, b).value;
  } catch {
    return undefined;
  }
}

