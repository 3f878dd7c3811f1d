// The client: everything under the page. Workers, socket, device key and, on the way back into a session, the microphone start at
// once and side by side; none waits for another that it does not need.
import { Verifier } from "../engine/verify";
import { missing, type Missing } from "../identity/floor";
import type { SealReport } from "../seal/messages";
import type { Client, View } from "../view/model";
import { hex } from "../words/bytes";
import { makeActions } from "./actions";
import { Author } from "./author";
import { ClockWork } from "./clock-work";
import { Connection } from "./connection";
import { Curtain } from "./curtain";
import type { Early } from "./early";
import type { FromNode } from "./frame";
import { Hall } from "./hall";
import { Keeping } from "./keeping";
import { Notices } from "./notices";
import { Office } from "./office";
import { OfficerDesk } from "./officer";
import { ProblemError } from "./problem";
import { Attendance, type AttendancePorts } from "./session/attendance";
import type { Evidence } from "./session/evidence";
import { Scopes, type Followed } from "./session/scopes";
import { leafIdentity } from "./session/spare";
import type { Self } from "./self";
import { troubles } from "./session/troubles";
import { share, Store } from "./store";
import { Stage } from "./view/stage";
import { viewOf } from "./view/view";
import { joinWorkers, type Workers } from "./workers";

interface ClientOptions {
  /** Of the page, BCP 47. */
  readonly language: string;
  /** What was begun before this file was read. */
  readonly early: Early;
}

/** So long at most, ms, the page stays empty at its beginning, and as it was before while somebody enters. */
const emptyFor = 400;
const enteringFor = 250;
/** The room is built when the node's offer has been answered, so long after the join at most, ms. */
const offerWithin = 250;

/** The log is read within this time, ms, or the lobby is shown without waiting for it. */
const readingFor = 3_000;

/** A principal who could not be let in is led to the door again after this time, ms. */
const leadEvery = 5_000;

/** persona is the first label of a persona's origin, undefined anywhere else. */
const persona = /^([a-z0-9-]+)\.localhost$/.exec(location.hostname)?.[1];

/** startClient is what main.ts calls. */
export function startClient(language: string, early: Early): Client {
  const made = new ParleyClient({ language, early });
  // What tests may look at: no key, no name, nothing that is not on the screen or in the node's own books.
  Object.defineProperty(window, "parley", { value: Object.freeze({ facts: () => made.facts() }) });
  return made.client;
}

class ParleyClient {
  readonly client: Client;
  readonly #options: ClientOptions;
  readonly #verifier = new Verifier();
  readonly #connection: Connection;
  readonly #workers: Workers;
  readonly #hall: Hall;
  readonly #notices: Notices;
  readonly #stage = new Stage();
  readonly #store: Store<View>;
  readonly #curtain = new Curtain(() => this.#draw(), emptyFor, () => this.#isWorthDrawing());
  readonly #render = () => this.#curtain.changed();
  readonly #clock: ClockWork;
  readonly #keeping = new Keeping(async () => this.#scopes?.keep());
  #missing: readonly Missing[] = [];
  #author: Author | undefined;
  #scopes: Scopes | undefined;
  #desk: OfficerDesk | undefined;
  #office: Office | undefined;
  #name = "";
  #readingUntil = 0;
  #returning: string | null = Hall.returning();
  #shownIn = false;
  #ledAt = -Infinity;

  constructor(options: ClientOptions) {
    this.#options = options;
    const changed = this.#render;
    this.#notices = new Notices(changed, Date.now);
    this.#workers = joinWorkers(
      options.early,
      (r) => this.#report(r),
      () => this.#notices.alarm(new ProblemError("internal", { at: "worker" })),
    );
    this.#hall = new Hall({
      attend: (followed, more) => this.#attend(followed, more),
      preparing: (followed) => this.#spare(followed.scope),
      warn: (p) => this.#notices.warn(p),
      left: () => this.#connection.socket.renew(),
      changed,
    });
    this.#connection = new Connection(
      { early: options.early, language: options.language, build: ownBuild(), verifier: this.#verifier },
      {
        welcomed: () => this.#welcomed(),
        listed: () => this.#listed(),
        lost: () => this.#scopes?.lost(),
        frame: (body) => this.#frame(body),
        alarm: (p) => this.#notices.alarm(p),
        changed,
      },
    );
    void missing().then((lacks) => {
      this.#missing = lacks;
      if (lacks.length > 0) this.#connection.socket.close();
      changed();
    });
    if (this.#returning !== null) void this.#hall.own.open(true);
    this.#clock = new ClockWork(() => this.#tick());
    this.#store = new Store(this.#view());
    const actions = makeActions({
      connection: this.#connection,
      hall: this.#hall,
      notices: this.#notices,
      language: options.language,
      scopes: () => this.#scopes,
      office: () => (this.#office === undefined || this.#desk === undefined ? undefined : { office: this.#office, desk: this.#desk }),
      named: (name) => (this.#name = name),
      changed,
    });
    this.client = Object.freeze<Client>({
      actions,
      ready: this.#curtain.opened,
      current: () => this.#store.current(),
      subscribe: (listener) => this.#store.subscribe(listener),
    });
    addEventListener("online", () => this.#network());
    (navigator as { connection?: EventTarget }).connection?.addEventListener("change", () => this.#network());
  }

  facts(): object {
    const attendance = this.#hall.attendance;
    const view = attendance?.room.epochs.view;
    return Object.freeze({
      socket: this.#connection.socket.state,
      hold: this.#hall.hold.kind,
      phase: attendance?.followed.log.state.phase() ?? null,
      next: attendance?.followed.log.next ?? null,
      epoch: view === undefined ? null : Number(view.context.epoch),
      leaves: view?.leaves.length ?? 0,
      sending: attendance?.room.epochs.sending === undefined ? null : Number(attendance.room.epochs.sending),
      tracks: attendance?.arrivals.frames() ?? [],
    });
  }

  #welcomed(): void {
    const self = this.#connection.identity;
    if (self?.side === undefined) return;
    const { socket, clock } = this.#connection;
    this.#author ??= new Author(self.device, self.side.id, () => clock.nodeNow());
    this.#scopes ??= new Scopes({
      socket,
      self,
      verifier: this.#verifier,
      now: () => clock.nodeNow(),
      applied: (f, a) => {
        this.#attending(f)?.applied(a);
        if (f.caughtUp) this.#keeping.changed();
      },
      recalled: (f) => this.#goBack(f),
      caughtUp: (f) => this.#caughtUp(f),
      alarm: (_f, p) => this.#notices.alarm(p),
      evidence: (e) => this.#keep(self, e),
      changed: this.#render,
    });
    if (self.officer && this.#desk === undefined) this.#openOffice();
    void this.#desk?.refresh().catch(() => undefined);
    this.#readingUntil = Date.now() + readingFor;
    this.#askAsPersona();
    this.#expectEntry();
    this.#scopes.follow(this.#connection.sessions.map((s) => s.scope));
    if (this.#hall.attendance !== undefined) this.#hall.attendance.connect();
    else this.#goStraightBack();
  }

  /** A session more or less, under the same Welcome: what is followed and the media go on. */
  #listed(): void {
    this.#scopes?.add(this.#connection.sessions.map((s) => s.scope));
    if (this.#hall.attendance === undefined) this.#goStraightBack();
  }

  /**
   * A reload joins and connects before the log has been read: neither needs it. Keys come only from the log, once it is checked, and
   * without keys nothing leaves this device.
   */
  #goStraightBack(): void {
    const followed = this.#returning === null ? undefined : this.#scopes?.get(this.#returning);
    if (followed === undefined || this.#connection.identity?.accreditation === undefined) return;
    this.#returning = null;
    this.#shownIn = true;
    void this.#hall.prepare(followed);
    void this.client.actions.enter();
  }

  /**
   * A persona of the demonstration has an origin of its own (name.localhost) and asks to be accredited under it by itself. It is
   * a request like any other: what admits is an officer's signature, and no officer but the demonstration's signs unseen.
   */
  #askAsPersona(): void {
    const self = this.#connection.identity;
    if (self === undefined || self.accreditation !== undefined || self.officer || self.enrolment.state !== "ask") return;
    if (persona !== undefined) void this.client.actions.enrol(persona, location.hostname);
  }

  /** A reload, and a persona of the demonstration, are about to enter: the member is made while the log is read. */
  #expectEntry(): void {
    if (this.#hall.hold.kind !== "lobby" || this.#shownIn) return;
    const expected = this.#connection.sessions.filter((s) => (this.#returning !== null ? hex(s.scope) === this.#returning : persona !== undefined && s.state === "agreed"));
    if (expected.length === 1) this.#spare(expected[0]!.scope);
  }

  #spare(scope: Uint8Array): void {
    const person = this.#connection.identity?.accreditation?.person;
    if (this.#author === undefined || person === undefined) return;
    this.#workers.spare.make(leafIdentity(scope, this.#author.side, person, this.#author.device.publicKey), this.#connection.clock.nodeNow());
  }

  #openOffice(): void {
    const self = this.#connection.identity;
    if (self === undefined || this.#author === undefined || this.#scopes === undefined) return;
    this.#desk = new OfficerDesk({
      socket: this.#connection.socket,
      author: this.#author,
      verified: "in-person",
      now: () => this.#connection.clock.nodeNow(),
      changed: this.#render,
    });
    this.#office = new Office({ desk: this.#desk, scopes: this.#scopes, author: this.#author, self });
  }

  #attend(followed: Followed, more: Pick<AttendancePorts, "own" | "player" | "gone">): Attendance {
    const self = this.#connection.identity;
    const person = self?.accreditation?.person;
    if (this.#author === undefined || this.#scopes === undefined || self === undefined || person === undefined) throw new ProblemError("not-accredited");
    const scopes = this.#scopes;
    this.#curtain.close(enteringFor);
    return new Attendance({
      ...more,
      followed,
      socket: this.#connection.socket,
      workers: this.#workers,
      author: this.#author,
      person,
      path: () => ({ iceServers: this.#iceServers() }),
      accreditation: () => self.accreditationBytes,
      submit: (made) => scopes.submit(followed.id, made),
      alarm: (p) => this.#notices.alarm(p),
      evidence: (e) => this.#keep(self, e),
      warn: (p) => this.#notices.warn(p),
      // The room is built while the node's answer and the other members' commit are on their way.
      sent: (what) => (what === "join" ? this.#curtain.openWithin(offerWithin) : this.#curtain.open()),
      changed: this.#render,
      now: Date.now,
      nodeNow: () => this.#connection.clock.nodeNow(),
      wake: (at) => this.#clock.wake(at),
    });
  }

  #keep(self: Self, e: Evidence): void {
    self.evidence.keep(e).catch(() => this.#notices.warn(new ProblemError("internal", { at: "evidence" })));
  }

  #iceServers(): RTCIceServer[] {
    return (this.#connection.welcome?.ice ?? []).map((s) => ({ urls: [...s.urls], username: s.username, credential: s.credential }));
  }

  #frame(body: FromNode): void {
    switch (body.case) {
      case "entries":
        this.#scopes?.entries(body.value);
        break;
      case "outbox":
        this.#scopes?.outbox(body.value);
        break;
      case "heads":
        this.#scopes?.heads(body.value);
        break;
      case "relay":
        if (hex(body.value.scope) === this.#hall.attendance?.followed.id) this.#hall.attendance.relayed(body.value);
        break;
      case "downOffer":
        this.#hall.attendance?.offered(body.value);
        break;
      case "officer":
        this.#desk?.told(body.value);
        break;
    }
  }

  #attending(f: Followed): Attendance | undefined {
    const attendance = this.#hall.attendance;
    return attendance?.followed === f ? attendance : undefined;
  }

  #caughtUp(f: Followed): void {
    this.#attending(f)?.room.reconnected();
    this.#goBack(f);
    this.#keeping.changed();
    this.#render();
  }

  /**
   * A persona of the demonstration is shown straight into its session: when the log has been read, or before, as after a reload, where
   * this device remembers that it may enter and its node says that nothing has changed. (What the node says can only make it wait.)
   */
  #goBack(f: Followed): void {
    if (this.#hall.hold.kind !== "lobby") return;
    if (!f.caughtUp && this.#connection.sessions.find((s) => hex(s.scope) === f.id)?.state !== "agreed") return;
    const shown = persona !== undefined && f.log.state.plan()?.status === "test" && !this.#shownIn;
    if (!shown) return;
    this.#shownIn = true;
    if (this.#view().sessions.find((s) => s.scope === f.id)?.mayEnter !== true) return;
    void this.#hall.prepare(f);
    void this.client.actions.enter(); // what the devices give follows when they give it
  }

  /**
   * A principal has no button to find: in the hours of the plan the devices are asked for, and the door opens when the microphone is
   * proven. With two sessions at one hour somebody has to choose.
   */
  #enterPrincipal(): void {
    const { screen, self, sessions } = this.#store.current();
    if (self?.role === "principal" && screen.kind === "lobby" && Date.now() - this.#ledAt > leadEvery) {
      const now = this.#connection.clock.nodeNow();
      const [session, second] = sessions.filter((s) => s.mayEnter && s.from <= now && now < s.until && s.scope !== Hall.left());
      if (session === undefined || second !== undefined) return;
      this.#ledAt = Date.now();
      void this.client.actions.prepare(session.scope);
    }
    if (screen.kind !== "holding" || screen.entry.kind !== "automatic") return;
    if (screen.microphone.kind === "live" && screen.microphone.proven) void this.client.actions.enter();
  }

  #report(r: SealReport): void {
    if (r.kind === "counters") this.#hall.attendance?.counted(r.tracks);
    if (r.kind === "alarm" && r.code === "decrypt-failures") this.#notices.warn(new ProblemError("cannot-open"));
    if (r.kind === "alarm" && r.code === "counter-exhausted") this.#hall.attendance?.room.look();
    if (r.kind === "alarm" && r.code === "no-such-epoch" && r.scope === this.#hall.attendance?.followed.id) void this.#hall.attendance.room.epochs.keyLost();
  }

  #network(): void {
    this.#connection.socket.retry();
    this.#hall.attendance?.networkChanged();
  }

  #tick(): void {
    const now = Date.now();
    this.#scopes?.tick();
    const attendance = this.#hall.attendance;
    attendance?.tick(now);
    const heldBack = (attendance?.followed.pending.heldBack().length ?? 0) > 0 && this.#connection.lostAt === undefined;
    this.#notices.while(heldBack, new ProblemError("held-back"));
    this.#notices.while(this.#scopes?.uncertain() ?? false, new ProblemError("uncertain"));
    for (const { code, params } of troubles(attendance, now, this.#options.language)) {
      this.#notices.while(params !== undefined, new ProblemError(code, params), code === "member-differs" ? "alarm" : "warning");
    }
    this.#notices.while(this.#connection.clock.off, new ProblemError("clock-off"));
    this.#notices.while(attendance?.mediaFailing(now) ?? false, new ProblemError("media-failed"));
    this.#enterPrincipal();
    this.#notices.tick();
    this.#render();
  }

  #view(): View {
    const now = Date.now();
    const reading = now < this.#readingUntil && (this.#scopes?.all().some((f) => !f.caughtUp) ?? false);
    return viewOf({
      missing: this.#missing,
      connection: this.#connection,
      scopes: this.#scopes,
      hall: this.#hall,
      desk: this.#desk,
      notices: this.#notices.all(),
      stage: this.#stage,
      enrolName: this.#name,
      reading,
      now,
    });
  }

  /** What would be drawn now is not about to give way to something else by itself. */
  #isWorthDrawing(): boolean {
    const { identity, welcome, refused, problem } = this.#connection;
    if (this.#missing.length > 0 || refused || problem !== undefined) return true;
    if (this.#hall.hold.kind === "room" || welcome === undefined || identity?.side === undefined) return false;
    return identity.accreditation === undefined || (this.#scopes?.all().every((f) => f.caughtUp) ?? false);
  }

  #draw(): void {
    this.#store.set(share(this.#store.current(), this.#view()));
  }
}

/** ownBuild is the hash under which this page's script was admitted by the browser; empty in development. */
function ownBuild(): string {
  return document.querySelector<HTMLScriptElement>("script[type=module][integrity]")?.integrity.slice(0, 128) ?? "";
}
