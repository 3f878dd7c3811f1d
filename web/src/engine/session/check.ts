// What the rules hand to their caller: signatures to verify, and what an entry did.

/** Check is one signature that the caller must verify before apply. The message holds the context string already. */
export interface Check {
  readonly alg: "ed25519" | "mldsa65";
  readonly key: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
  /** For evidence: act, outbox, accreditation, node-cert, head, … */
  readonly what: string;
  /** The problem if it does not verify. */
  readonly code: string;
}

export type EffectKind =
  | "proposed" | "consented" | "agreed" | "admitted" | "joined" | "replaced" | "left" | "lost" | "revoked" | "published"
  | "withdrawn" | "muted" | "unmuted" | "suspended" | "resumed" | "closed" | "extended" | "group" | "epoch" | "term" | "void"; // prettier-ignore

/** Effect is one thing that an entry did. */
export interface Effect {
  readonly kind: EffectKind;
  readonly act: Uint8Array;
  /** The author's side, or the affected person's. */
  readonly side: Uint8Array;
  readonly join?: Uint8Array;
  readonly track?: string;
  /** Of a void: why an outbox item was ordered without effect. */
  readonly code?: string;
  /** It was in effect here before, through overlay. */
  readonly early: boolean;
}
