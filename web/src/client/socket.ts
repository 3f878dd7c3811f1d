// The socket to the side's own node: opens, proves the device, keeps itself open, answers requests by id.
//
// It knows frames, not sessions. Whatever it was asked to carry while closed is refused at once: the outbox of pending acts
// (pending.ts) sends again after the next Welcome, and every act has a nonce, so sending twice is never doing twice.
import { Backoff } from "./backoff";
import { Clock } from "./clock";
import { Hearing, lookEvery, pingEvery } from "./hearing";
import { decodeFrame, encodeFrame, type FromNode, type FromNodeCase, type FromNodeOf, type ToNodeBody } from "./frame";
import { asProblem, fromWire, ProblemError } from "./problem";

/** Versions of the protocol this client speaks. */
export const protocolMin = 1;
export const protocolMax = 1;

const requestTimeout = 10_000;
const handshakeTimeout = 8_000;
/** A page may close with 1000 or a code of its own; anything else throws (WebSockets §3.1, close). */
const closedBy = { refusal: 4008, malformed: 4002 } as const;
const pongTimeout = 6_000;

export type SocketState = "connecting" | "proving" | "open" | "waiting" | "refused" | "closed";

/** Identity is what the socket needs of the device: nothing of the key but what it signs. */
export interface Identity {
  readonly publicKey: Uint8Array<ArrayBuffer>;
  accreditation(): Uint8Array<ArrayBuffer>;
  prove(challenge: FromNodeOf<"challenge">): Promise<Uint8Array<ArrayBuffer>>;
}

export interface SocketOptions {
  url: string;
  identity: Promise<Identity>;
  language: string;
  build: string;
  clock: Clock;
  random?: () => number;
  /** A WebSocket to the url that is on its way already: the first to be used. */
  begun?: WebSocket;
  open?: (url: string) => WebSocket;
}

export interface SocketEvents {
  state?: (state: SocketState, problem: ProblemError | undefined) => void;
  welcome?: (welcome: FromNodeOf<"welcome">, challenge: FromNodeOf<"challenge">) => void;
  frame?: (body: FromNode) => void;
  problem?: (problem: ProblemError, act: Uint8Array) => void;
}

interface Waiting {
  resolve: (body: FromNode) => void;
  reject: (e: Error) => void;
  timer: ReturnType<typeof setTimeout>;
}

export class Socket {
  readonly clock: Clock;
  #state: SocketState = "closed";
  #ws: WebSocket | undefined;
  #begun: WebSocket | undefined;
  #challenge: FromNodeOf<"challenge"> | undefined;
  #nextId = 1n;
  #welcomes = 0;
  #looks = 0;
  readonly #hearing = new Hearing();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pinger: ReturnType<typeof setInterval> | undefined;
  readonly #waiting = new Map<bigint, Waiting>();
  readonly #backoff: Backoff;
  readonly #options: SocketOptions;
  readonly #events: SocketEvents;

  constructor(options: SocketOptions, events: SocketEvents) {
    this.#options = options;
    this.#begun = options.begun;
    this.#events = events;
    this.clock = options.clock;
    this.#backoff = new Backoff(options.random);
  }

  get state(): SocketState {
    return this.#state;
  }

  /** welcomes counts the Welcomes: what the node keeps for a socket (its end of the media) lives as long as this stays the same. */
  get welcomes(): number {
    return this.#welcomes;
  }

  /** open connects, and connects again whenever the socket is lost, until close. */
  open(): void {
    if (this.#ws !== undefined) return;
    clearTimeout(this.#timer);
    this.#become("connecting");
    const begun = this.#begun !== undefined && this.#begun.readyState <= WebSocket.OPEN ? this.#begun : undefined;
    this.#begun = undefined;
    const ws = begun ?? (this.#options.open ?? ((url: string) => new WebSocket(url)))(this.#options.url);
    ws.binaryType = "arraybuffer";
    this.#ws = ws;
    const guard = setTimeout(() => ws.close(), handshakeTimeout);
    ws.onopen = () => void this.#hello(ws);
    ws.onmessage = (m: MessageEvent<unknown>) => {
      if (this.#ws === ws) this.#receive(ws, m.data);
      if (this.#state === "open") clearTimeout(guard);
    };
    ws.onclose = () => {
      clearTimeout(guard);
      if (this.#ws === ws) this.#lost();
    };
    if (ws.readyState === WebSocket.OPEN) void this.#hello(ws);
  }

  /** retry gives up waiting: the network came back, or the person asked. */
  retry(): void {
    if (this.#state !== "waiting") return;
    this.#backoff.reset();
    this.open();
  }

  /** renew closes and opens anew, as after an accreditation has changed, or when a person tries again after a refusal. */
  renew(): void {
    this.#backoff.reset();
    if (this.#ws !== undefined) this.#ws.close(1000);
    else this.open();
  }

  /** abandon gives the socket up as it is and opens another: over a path that is dead, a closing handshake takes longer than that. */
  abandon(): void {
    const ws = this.#ws;
    if (ws !== undefined) this.#lost();
    this.retry();
    ws?.close();
  }

  /** refuse ends the socket for good: the node is not who it should be. */
  refuse(problem: ProblemError): void {
    const ws = this.#ws;
    this.#ws = undefined;
    this.#forget();
    this.#become("refused", problem);
    ws?.close(closedBy.refusal);
  }

  close(): void {
    this.#become("closed");
    clearTimeout(this.#timer);
    const ws = this.#ws;
    this.#ws = undefined;
    ws?.close(1000);
    this.#forget();
  }

  /** send carries a body that wants no answer; false if the socket is not open. */
  send(body: ToNodeBody): boolean {
    if (this.#state !== "open" || this.#ws?.readyState !== WebSocket.OPEN) return false;
    this.#ws.send(encodeFrame(0n, body));
    return true;
  }

  /** request carries a body and waits for the answer; a Problem in answer rejects with its ProblemError. */
  request(body: ToNodeBody, timeout = requestTimeout): Promise<FromNode> {
    if (this.#state !== "open") return Promise.reject(new ProblemError("node-unreachable"));
    return this.#ask(body, timeout);
  }

  /** ask is request with the one kind of answer that fits. */
  async ask<C extends FromNodeCase>(want: C, body: ToNodeBody, timeout = requestTimeout): Promise<FromNodeOf<C>> {
    const answer = await this.request(body, timeout);
    if (answer.case !== want) throw new ProblemError("malformed", { at: answer.case ?? "empty" });
    return answer.value as FromNodeOf<C>;
  }

  #ask(body: ToNodeBody, timeout: number): Promise<FromNode> {
    const ws = this.#ws;
    if (ws?.readyState !== WebSocket.OPEN) return Promise.reject(new ProblemError("node-unreachable"));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new ProblemError("node-unreachable", { at: body.case ?? "" }));
      }, timeout);
      this.#waiting.set(id, { resolve, reject, timer });
      ws.send(encodeFrame(id, body));
    });
  }

  async #hello(ws: WebSocket): Promise<void> {
    try {
      const identity = await this.#options.identity;
      if (this.#ws !== ws) return;
      this.#become("proving");
      const hello = {
        protocolMin,
        protocolMax,
        device: identity.publicKey,
        accreditation: identity.accreditation(),
        language: this.#options.language,
        clientBuild: this.#options.build,
      };
      const challenge = await this.#ask({ case: "hello", value: hello }, handshakeTimeout);
      if (challenge.case !== "challenge") throw new ProblemError("malformed", { at: "challenge" });
      const { nonce, node, side } = challenge.value;
      if (nonce.length !== 32 || node.length !== 32 || side.length !== 32) throw new ProblemError("malformed", { at: "challenge" });
      this.#challenge = challenge.value;
      const signature = await identity.prove(challenge.value);
      if (this.#ws !== ws) return;
      const welcome = await this.#ask({ case: "prove", value: { signature } }, handshakeTimeout);
      if (welcome.case !== "welcome") throw new ProblemError("malformed", { at: "welcome" });
      if (this.#ws === ws) this.#welcome(welcome.value);
    } catch (e) {
      this.#refuse(ws, asProblem(e));
    }
  }

  #welcome(welcome: FromNodeOf<"welcome">): void {
    this.#backoff.reset();
    this.#welcomes++;
    this.#become("open");
    this.#hearing.heard();
    this.#pinger = setInterval(() => this.#look(), lookEvery);
    this.#ping();
    if (this.#challenge !== undefined) this.#events.welcome?.(welcome, this.#challenge);
  }

  /** elsewhere: something came from the node by another way than this, so that its silence here is this socket's. */
  elsewhere(): void {
    this.#hearing.elsewhere(performance.now());
  }

  #look(): void {
    if (this.#hearing.look(performance.now())) this.abandon();
    else if (++this.#looks % pingEvery === 0) this.#ping();
  }

  #ping(): void {
    const sent = Date.now();
    const begin = performance.now();
    this.#ask({ case: "ping", value: { sent: BigInt(sent) } }, pongTimeout).then(
      (b) => {
        this.#hearing.answered(performance.now() - begin);
        if (b.case === "pong") this.clock.sample(sent, Date.now(), Number(b.value.now));
      },
      () => undefined,
    );
  }

  #receive(ws: WebSocket, data: unknown): void {
    this.#hearing.heard();
    let frame;
    try {
      frame = decodeFrame(data);
    } catch {
      this.#events.problem?.(new ProblemError("malformed", { at: "frame" }), new Uint8Array());
      ws.close(closedBy.malformed);
      return;
    }
    const body = frame.body;
    if (body.case === "problem" && body.value.fatal) this.#refuse(ws, fromWire(body.value));
    const waiting = frame.replyTo === 0n ? undefined : this.#waiting.get(frame.replyTo);
    if (waiting !== undefined) {
      this.#waiting.delete(frame.replyTo);
      clearTimeout(waiting.timer);
      if (body.case === "problem") waiting.reject(fromWire(body.value));
      else waiting.resolve(body);
      return;
    }
    if (body.case === "problem") this.#events.problem?.(fromWire(body.value), body.value.act);
    else if (this.#state === "open") this.#events.frame?.(body);
  }

  /** A refusal for good (not accredited is none: it leads to enrolment) stops the retries; anything else only closes. */
  #refuse(ws: WebSocket, problem: ProblemError): void {
    if (this.#ws !== ws) return;
    if (final.has(problem.code)) {
      this.refuse(problem);
      return;
    }
    this.#events.state?.(this.#state, problem);
    ws.close();
  }

  #lost(): void {
    this.#ws = undefined;
    this.#forget();
    if (this.#state === "closed" || this.#state === "refused") return;
    this.#become("waiting");
    this.#timer = setTimeout(() => this.open(), this.#backoff.next());
  }

  #forget(): void {
    clearInterval(this.#pinger);
    for (const w of this.#waiting.values()) {
      clearTimeout(w.timer);
      w.reject(new ProblemError("node-unreachable"));
    }
    this.#waiting.clear();
  }

  #become(state: SocketState, problem?: ProblemError): void {
    this.#state = state;
    this.#events.state?.(state, problem);
  }
}

const final = new Set([
  "wrong-version",
  "classical-only",
  "bad-signature",
  "accreditation-revoked",
  "accreditation-expired",
  "accreditation-altered",
  "accreditation-foreign",
  "accreditation-device",
  "replaced-by-other-device",
]);
