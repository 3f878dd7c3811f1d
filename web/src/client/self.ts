// Who this device is: its key, its accreditation, its side, and how far its enrolment has come.
import type { Cabinet } from "../identity/cabinet";
import { openDevice, type Device } from "../identity/device";
import type { Verifier } from "../engine/verify";
import type { Check } from "../engine/session/check";
import type { Challenge, Enrolment, Side, Welcome } from "../wire/parley/v1/signal_pb";
import { concat, empty, equal, hex } from "../words/bytes";
import { message } from "../words/canon";
import {
  accreditation as accreditationBody, contextAccreditation, contextChallenge, contextNode, contextOfficer, decodeIdent, delegationKey,
  nodeCert, officerCert, open, sideId, type Accreditation, type SignedBody,
} from "../words/ident"; // prettier-ignore
import { Memory } from "./memory";
import { ProblemError } from "./problem";
import { EvidenceBox } from "./session/evidence";
import { Pins } from "./session/pins";
import type { Identity } from "./socket";

const place = "accreditation";

export interface EnrolmentState {
  readonly state: "ask" | "waiting" | "declined";
  readonly note: string;
  /** When this device asked, ms; null if that was before this page was opened. */
  readonly since: number | null;
}

export class Self {
  readonly device: Device;
  readonly pins: Pins;
  readonly evidence: EvidenceBox;
  readonly memory: Memory;
  readonly #cabinet: Cabinet;
  readonly #verifier: Verifier;
  #accreditation: Uint8Array<ArrayBuffer>;
  /** What #accreditation says, once it was read: every view asks. */
  #says: Accreditation | undefined;
  #side: Side | undefined;
  #officer = false;
  #enrolment: EnrolmentState = { state: "ask", note: "", since: null };

  private constructor(cabinet: Cabinet, verifier: Verifier, device: Device, accreditation: Uint8Array<ArrayBuffer>, build: string) {
    this.#cabinet = cabinet;
    this.#verifier = verifier;
    this.device = device;
    this.pins = new Pins(cabinet);
    this.evidence = new EvidenceBox(cabinet);
    this.memory = new Memory(cabinet, device, verifier, build);
    this.#accreditation = accreditation;
  }

  static async open(cabinet: Cabinet, verifier: Verifier, build = ""): Promise<Self> {
    const [device, kept] = await Promise.all([openDevice(cabinet), cabinet.get<Uint8Array<ArrayBuffer>>(place)]);
    return new Self(cabinet, verifier, device, kept ?? new Uint8Array(), build);
  }

  /** side is what the node's Welcome proved of one's own side; undefined before it. */
  get side(): Side | undefined {
    return this.#side;
  }

  get officer(): boolean {
    return this.#officer;
  }

  get enrolment(): EnrolmentState {
    return this.#enrolment;
  }

  get accreditationBytes(): Uint8Array<ArrayBuffer> {
    return this.#accreditation;
  }

  /** accreditation is what the officer signed, undefined before. */
  get accreditation(): Accreditation | undefined {
    if (this.#accreditation.length === 0) return undefined;
    return (this.#says ??= open(accreditationBody, this.#accreditation).value);
  }

  identity(): Identity {
    return {
      publicKey: this.device.publicKey,
      accreditation: () => this.#accreditation,
      // The node's key is under the signature: a node in the middle cannot pass another node's challenge on.
      prove: (c: Challenge) => this.device.sign(contextChallenge, concat(c.nonce, c.node, this.device.publicKey)),
    };
  }

  /** welcome checks who the node says it is, up to the delegation key, and keeps the accreditation that it brings. */
  async welcome(w: Welcome, c: Challenge, now: number): Promise<void> {
    const side = w.side;
    if (side === undefined || !equal(side.id, c.side)) throw new ProblemError("malformed", { what: "side" });
    const key = decodeIdent(delegationKey, side.delegation);
    if (!equal(sideId(key), side.id)) throw new ProblemError("link-swapped-key", { side: "own" });
    // Another side than the one pinned is refused; nothing is pinned on the node's word.
    await Promise.all([this.pins.own(side.id, false), this.memory.ready()]);
    const node = open(nodeCert, side.nodeCert);
    if (!equal(node.value.key, c.node) || !equal(node.value.side, side.id)) throw new ProblemError("link-unknown-key");
    if (now < node.value.from || now >= node.value.until) throw new ProblemError("link-unknown-key", { reason: "expired" });
    await this.#verifier.verify(rooted(node.signed, contextNode, key, "link-unknown-key"));
    if (w.accreditation.length > 0) await this.#keep(w.accreditation, side);
    if (this.accreditation !== undefined && equal(this.accreditation.side, side.id)) await this.pins.own(side.id, true);
    this.#side = side;
    this.#officer = w.officer;
  }

  /** enrolled takes the state of one's own enrolment; true if it brought an accreditation. */
  async enrolled(e: Enrolment, now: number): Promise<boolean> {
    if (e.state === "accredited" && e.accreditation.length > 0 && this.#side !== undefined) {
      await this.#keep(e.accreditation, this.#side);
      return true;
    }
    const since = e.state === "waiting" ? (this.#enrolment.since ?? now) : null;
    this.#enrolment = { since, state: e.state === "waiting" || e.state === "declined" ? e.state : "ask", note: e.note.slice(0, 400) };
    return false;
  }

  /** #keep keeps an accreditation that one of the side's certified officers signed for this device. */
  async #keep(bytes: Uint8Array, side: Side): Promise<void> {
    if (equal(bytes, this.#accreditation)) return;
    const { value, signed } = open(accreditationBody, bytes);
    if (!equal(value.device, this.device.publicKey)) throw new ProblemError("accreditation-device");
    if (!equal(value.side, side.id)) throw new ProblemError("accreditation-foreign");
    const officer = side.officerCerts.map((raw) => open(officerCert, raw)).find((o) => equal(o.value.device, value.by));
    if (officer === undefined || !equal(officer.value.side, side.id)) throw new ProblemError("accreditation-foreign");
    const key = decodeIdent(delegationKey, side.delegation);
    await this.#verifier.verify([
      ...rooted(officer.signed, contextOfficer, key, "accreditation-foreign"),
      check("ed25519", value.by, contextAccreditation, signed, signed.ed25519, "accreditation-altered"),
    ]);
    this.#accreditation = new Uint8Array(bytes);
    this.#says = undefined;
    await this.#cabinet.put(place, this.#accreditation);
    await this.pins.own(side.id, true); // the officer's signature holds: this is the side
  }
}

/** rooted names both signatures of a delegation key: the scheme stands while either of the two algorithms does. */
function rooted(signed: SignedBody, context: string, key: { ed25519: Uint8Array; mldsa65: Uint8Array }, code: string): Check[] {
  return [
    check("ed25519", key.ed25519, context, signed, signed.ed25519, code),
    check("mldsa65", key.mldsa65, context, signed, signed.mldsa65 ?? empty, code),
  ];
}

function check(alg: Check["alg"], key: Uint8Array, context: string, signed: SignedBody, signature: Uint8Array, code: string): Check {
  return { alg, key, message: message(context, signed.body), signature, what: context, code };
}

/** deviceText is the device's key as text, for the command line of the offline machine. */
export function deviceText(device: Device): string {
  return hex(device.publicKey);
}
