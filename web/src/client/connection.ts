// The way to the node: the device's identity, the socket, and what the node said of itself when it was last opened.
import type { Verifier } from "../engine/verify";
import type { Challenge, Link, SessionInfo, Welcome } from "../wire/parley/v1/signal_pb";
import { Clock } from "./clock";
import type { Early } from "./early";
import type { FromNode } from "./frame";
import { asProblem, ProblemError } from "./problem";
import { Self } from "./self";
import { Socket, type SocketState } from "./socket";

export interface ConnectionOptions {
  readonly early: Pick<Early, "url" | "socket" | "cabinet">;
  readonly language: string;
  readonly build: string;
  readonly verifier: Verifier;
}

export interface ConnectionEvents {
  /** welcomed is called after every Welcome that has been checked. */
  welcomed(): void;
  /** listed is called when the node lists its sessions anew, under the same Welcome. */
  listed(): void;
  lost(): void;
  frame(body: FromNode): void;
  alarm(problem: ProblemError): void;
  changed(): void;
}

export class Connection {
  readonly clock = new Clock();
  readonly socket: Socket;
  readonly self: Promise<Self>;
  #self: Self | undefined;
  #welcome: Welcome | undefined;
  #links: readonly Link[] = [];
  #sessions: readonly SessionInfo[] = [];
  #problem: ProblemError | undefined;
  #lostAt: number | undefined;
  #attempts = 0;
  readonly #events: ConnectionEvents;

  constructor(o: ConnectionOptions, events: ConnectionEvents) {
    this.#events = events;
    this.self = this.#open(o);
    this.socket = new Socket(
      {
        url: o.early.url,
        identity: this.self.then((s) => s.identity()),
        language: o.language,
        build: o.build,
        clock: this.clock,
        ...(o.early.socket === undefined ? {} : { begun: o.early.socket }),
      },
      {
        state: (state, problem) => this.#state(state, problem),
        welcome: (w, c) => void this.#welcomed(w, c),
        frame: (body) => void this.#frame(body),
        problem: (p) => p.code === "malformed" && events.alarm(p),
      },
    );
    this.socket.open();
  }

  /** identity is the device, undefined until its key was found. */
  get identity(): Self | undefined {
    return this.#self;
  }

  get welcome(): Welcome | undefined {
    return this.#welcome;
  }

  get links(): readonly Link[] {
    return this.#links;
  }

  get sessions(): readonly SessionInfo[] {
    return this.#sessions;
  }

  /** problem is why the node cannot be reached or does not take this device. */
  get problem(): ProblemError | undefined {
    return this.#problem;
  }

  /** lostAt is since when a connection that once stood is gone, ms; undefined while it stands. */
  get lostAt(): number | undefined {
    return this.#lostAt;
  }

  /** unreachable says that the first attempts have all failed; more are made. */
  get unreachable(): boolean {
    return this.#welcome === undefined && this.#attempts >= 4;
  }

  get refused(): boolean {
    return this.socket.state === "refused";
  }

  async #open(o: ConnectionOptions): Promise<Self> {
    this.#self = await Self.open(await o.early.cabinet, o.verifier, o.build);
    this.#events.changed();
    return this.#self;
  }

  async #welcomed(w: Welcome, c: Challenge): Promise<void> {
    this.clock.sample(Date.now(), Date.now(), Number(c.now));
    try {
      const self = await this.self;
      await self.welcome(w, c, this.clock.nodeNow());
    } catch (e) {
      this.#problem = asProblem(e);
      this.socket.refuse(this.#problem);
      return;
    }
    this.#welcome = w;
    this.#sessions = w.sessions;
    this.#problem = undefined;
    this.#lostAt = undefined;
    this.#events.welcomed();
    this.#events.changed();
  }

  async #frame(body: FromNode): Promise<void> {
    switch (body.case) {
      case "enrolment":
        // An accreditation has come: the next Welcome says what it opens.
        if (await (await this.self).enrolled(body.value, this.clock.nodeNow())) this.socket.renew();
        break;
      case "link":
        this.#links = body.value.links;
        break;
      case "sessions":
        this.#sessions = body.value.sessions;
        this.#events.listed();
        break;
    }
    this.#events.frame(body);
    this.#events.changed();
  }

  #state(state: SocketState, problem: ProblemError | undefined): void {
    if (problem !== undefined) this.#problem = problem;
    if (state === "open") this.#attempts = 0;
    // Who may not come any more keeps no names of those who may.
    if (problem?.code === "accreditation-revoked") void this.#self?.memory.only([]).catch(() => undefined);
    if (state === "waiting" || state === "refused") {
      this.#attempts++;
      if (this.#welcome !== undefined) this.#lostAt ??= Date.now();
      this.#events.lost();
    }
    this.#events.changed();
  }
}
