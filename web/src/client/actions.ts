// What a person can do, as the page calls it. Each action answers with done or a problem, and never throws.
import type { Actions, Outcome } from "../view/model";
import type { Connection } from "./connection";
import type { Hall } from "./hall";
import type { Notices } from "./notices";
import type { Office } from "./office";
import type { OfficerDesk } from "./officer";
import { ProblemError, shown } from "./problem";
import { evidenceFile } from "./session/evidence";
import type { Scopes } from "./session/scopes";

export interface ActionPorts {
  readonly connection: Connection;
  readonly hall: Hall;
  readonly notices: Notices;
  readonly language: string;
  scopes(): Scopes | undefined;
  office(): { office: Office; desk: OfficerDesk } | undefined;
  named(name: string): void;
  changed(): void;
}

export function makeActions(p: ActionPorts): Actions {
  const { hall, connection, notices } = p;
  const office = async <T>(f: (o: { office: Office; desk: OfficerDesk }) => Promise<T>) => {
    const found = p.office();
    if (found === undefined) throw new ProblemError("not-officer");
    return f(found);
  };
  return Object.freeze<Actions>({
    retry: () => (connection.refused ? location.reload() : connection.socket.retry()),
    enrol: (name, note) =>
      done(async () => {
        p.named(name);
        const answer = await connection.socket.ask("enrolment", { case: "enrol", value: { name, note, language: p.language } });
        if (await (await connection.self).enrolled(answer, connection.clock.nodeNow())) connection.socket.renew();
        p.changed();
      }),

    prepare: (scope) =>
      done(async () => {
        const followed = p.scopes()?.get(scope);
        if (followed === undefined) throw new ProblemError("unknown-session");
        await hall.prepare(followed);
      }),
    testSpeaker: () => done(() => hall.testSpeaker()),
    confirmSpeaker: (heard) => hall.confirmSpeaker(heard),
    chooseDevice: (kind, id) => done(() => hall.choose(kind, id)),
    askDevices: () => done(() => hall.own.again()),
    setCamera: (on) => done(() => hall.setCamera(on)),
    enter: () => done(() => hall.enter()),
    back: () => hall.back(),

    setMuted: (muted) => done(() => hall.setMuted(muted)),
    shareScreen: () => done(() => hall.shareScreen()),
    stopSharing: () => done(async () => hall.stopSharing()),
    leave: () => done(() => hall.leave()),
    setLayout: (kind) => hall.layout(kind),
    pin: (tile) => hall.pin(tile),

    dismiss: (notice) => notices.dismiss(notice),
    saveEvidence: () => done(async () => save("parley-evidence.json", evidenceFile(await (await connection.self).evidence.all()))),

    refreshOfficer: () => void p.office()?.desk.refresh().catch(() => undefined),
    accredit: (draft) => done(() => office(({ desk }) => desk.accredit(draft))),
    decline: (enrolment, reason) => done(() => office(({ desk }) => desk.decline(enrolment, reason))),
    revoke: (person, device, reason) => done(() => office((o) => o.office.revoke(person, device, reason))),
    addLink: (card, address) => done(() => office(({ desk }) => desk.addLink(card, address))),
    verifyLink: (side, fingerprint) => done(() => office(({ desk }) => desk.verifyLink(side, fingerprint))),
    proposePlan: (draft) => done(() => office((o) => o.office.propose(draft))),
    consent: (scope, proposal) => done(() => office((o) => o.office.consent(scope, proposal))),
    suspend: (scope) => done(() => office((o) => o.office.suspend(scope))),
    proposeResume: (scope) => done(() => office((o) => o.office.resume(scope))),
    proposeExtend: (scope) => done(() => office((o) => o.office.extend(scope, connection.clock.nodeNow()))),
    proposeClose: (scope) => done(() => office((o) => o.office.close(scope))),
  });
}

/** save lets the browser write a text as a file. */
function save(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

async function done(work: () => Promise<unknown>): Promise<Outcome> {
  try {
    await work();
    return { ok: true } satisfies Outcome;
  } catch (e) {
    return { ok: false, problem: shown(e) };
  }
}
