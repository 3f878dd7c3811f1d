// The whole view, made anew whenever something changed, from what the parts of the client hold. Pure reading: nothing is changed here.
import { deviceWords } from "../../words/fingerprint";
import { hex } from "../../words/bytes";
import type { Plan } from "../../words/body";
import { officerCert, open } from "../../words/ident";
import type { Missing } from "../../identity/floor";
import type { Holding, LinkView, Notice, Plate, Screen, SessionCard, SideName, Text, View } from "../../view/model";
import type { Connection } from "../connection";
import type { Hall, Hold } from "../hall";
import type { OfficerDesk } from "../officer";
import { shown } from "../problem";
import { deviceText, type Self } from "../self";
import type { Scopes } from "../session/scopes";
import { card, type CardContext } from "./card";
import { zones } from "./zones";
import { camera, devices, microphone } from "./devices";
import { linkView, textOf } from "./links";
import { officerPage, type KnownFormat } from "./officer";
import { ownPlate, planFacts } from "./people";
import { roomView } from "./room";
import type { Stage } from "./stage";

export interface Facts {
  readonly missing: readonly Missing[];
  readonly connection: Connection;
  readonly scopes: Scopes | undefined;
  readonly hall: Hall;
  readonly desk: OfficerDesk | undefined;
  readonly notices: readonly Notice[];
  readonly stage: Stage;
  readonly enrolName: string;
  readonly reading: boolean;
  readonly now: number;
}

/** A lost connection is said after this long, ms: most come back sooner. */
const quietFor = 800;

function awaySince({ connection, now }: Facts): number | undefined {
  const at = connection.lostAt;
  return at !== undefined && now - at >= quietFor ? at : undefined;
}

export function viewOf(f: Facts): View {
  const { connection } = f;
  const self = connection.identity;
  const side = sideName(self);
  const officers = officersOf(self);
  const plate = self === undefined || side === null ? null : ownPlate(self.accreditation, side, officers);
  const context: CardContext = {
    ownSide: self?.side?.id ?? new Uint8Array(),
    person: plate?.person,
    officer: self?.officer ?? false,
    now: f.now,
  };
  const sessions = (f.scopes?.all() ?? []).flatMap(({ log }) => card(log.state, context) ?? []);
  const links = connection.links.map((l) => linkView(l, officers));
  const lostAt = awaySince(f);
  return {
    screen: screenOf(f, self, plate, context, sessions, links),
    side,
    self: plate,
    officer: context.officer,
    demonstration: self?.accreditation?.verified === "demonstration",
    connection: lostAt === undefined ? { kind: "connected" } : { kind: "reconnecting", since: lostAt },
    clockOffset: connection.clock.offset,
    zones: zones(side, self?.side?.zone ?? "", plansOf(f, context)),
    sessions: [...sessions].sort((a, b) => a.from - b.from || (a.scope < b.scope ? -1 : 1)),
    links,
    officerPage: context.officer ? officerPage(f.desk?.reply, sessions, formatsOf(f, context), self?.side?.language ?? "en", officers) : null,
    notices: f.notices,
  };
}

function screenOf(f: Facts, self: Self | undefined, plate: Plate | null, context: CardContext, sessions: SessionCard[], links: LinkView[]): Screen {
  const { connection } = f;
  if (f.missing.length > 0) return { kind: "unsupported", missing: f.missing };
  if (connection.refused) return { kind: "refused", problem: shown(connection.problem) };
  if (self === undefined) return { kind: "starting", step: "keys" };
  if (connection.welcome === undefined || self.side === undefined) {
    // A node that has not been reached for some attempts is said to be so; the attempts go on.
    if (connection.unreachable) return { kind: "refused", problem: { code: "node-unreachable" } };
    return { kind: "starting", step: connection.socket.state === "proving" ? "proving" : "connecting" };
  }
  if (plate === null && !self.officer) return enrolling(self, f.enrolName);
  const { hold } = f.hall;
  if (hold.kind === "room" && plate !== null) {
    const { attendance, wish, pinned } = hold;
    const room = roomView({ ...context, attendance, wish, pinned, own: f.hall.own.state, self: plate, links, stage: f.stage, away: awaySince(f) !== undefined });
    if (room !== null) return room;
  }
  if (hold.kind === "holding" && plate !== null) {
    const session = sessions.find((s) => s.scope === hold.followed.id);
    if (session !== undefined) return holding(f.hall, hold, session, plate);
  }
  return f.reading ? { kind: "starting", step: "reading-log" } : { kind: "lobby" };
}

function enrolling(self: Self, name: string): Screen {
  const { state, note, since } = self.enrolment;
  return { kind: "enrolling", state, words: deviceWords(self.device.publicKey), deviceKey: deviceText(self.device), name, note, since };
}

function holding(hall: Hall, hold: Extract<Hold, { kind: "holding" }>, session: SessionCard, self: Plate): Holding {
  const own = hall.own.state;
  const heard = microphone(own, false, true);
  return {
    kind: "holding",
    session,
    self,
    microphone: heard,
    camera: camera(own),
    speaker: hold.speaker,
    devices: devices(own),
    entry: entry(hold, session, self, heard),
  };
}

function entry(hold: Extract<Hold, { kind: "holding" }>, session: SessionCard, self: Plate, heard: Holding["microphone"]): Holding["entry"] {
  if (hold.entering) return { kind: "entering" };
  if (!session.mayEnter) return { kind: "wait", problem: session.whyNot };
  if (heard.kind === "asking") return { kind: "wait", problem: null };
  // A microphone that cannot be had is never proven: who enters without one has to say so.
  return self.role === "principal" && heard.kind !== "failed" ? { kind: "automatic" } : { kind: "button" };
}

function formatsOf(f: Facts, c: CardContext): KnownFormat[] {
  return (f.scopes?.all() ?? []).flatMap(({ id, log }) => {
    const format = planFacts(log.state, c.ownSide)?.plan.format;
    return format === undefined ? [] : [{ id: format.id, name: format.name, scope: id }];
  });
}

/** plansOf: of the session one is in or about to enter, else of all that one may. */
function plansOf(f: Facts, c: CardContext): Plan[] {
  const { hold } = f.hall;
  const here = hold.kind === "holding" ? [hold.followed] : hold.kind === "room" ? [hold.attendance.followed] : (f.scopes?.all() ?? []);
  return here.flatMap(({ log }) => planFacts(log.state, c.ownSide)?.plan ?? []);
}

function sideName(self: Self | undefined): SideName | null {
  const side = self?.side;
  return side === undefined ? null : { id: hex(side.id), name: textOf(side.name), own: true };
}

const read = new WeakMap<object, ReadonlyMap<string, Text>>();

/** officersOf names the own side's officers, by device and by short name. */
function officersOf(self: Self | undefined): ReadonlyMap<string, Text> {
  const side = self?.side;
  if (side === undefined) return new Map();
  const before = read.get(side);
  if (before !== undefined) return before;
  const officers = new Map(
    side.officerCerts.flatMap((raw) => {
      const { value } = open(officerCert, raw);
      const name: Text = { [side.language]: value.name };
      return [[hex(value.device), name] as const, [value.person, name] as const];
    }),
  );
  read.set(side, officers);
  return officers;
}

