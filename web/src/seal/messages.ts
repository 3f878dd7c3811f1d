// What the seal worker is told and what it tells. Frames and keys never pass the main thread.

import type { Codec } from "./frames.js";
import type { Counters } from "./tally.js";

/** A leaf, and the epoch since which it is its member's. */
export interface Holding {
  readonly leaf: number;
  readonly since: bigint;
}

/** Options of RTCRtpScriptTransform(worker, options). */
export interface SealOptions {
  readonly direction: "send" | "receive";
  /** Hex of the scope whose group's keys seal this track. */
  readonly scope: string;
  readonly trackId: string;
  readonly kind: "audio" | "video";
  /** Used when the frame's metadata does not tell. */
  readonly codec: Codec;
  /** receive: the announcer's leaf, null until an act announced the track. Ignored for send. */
  readonly leaf: Holding | null;
}

/** From the main thread. */
export type SealRequest =
  /** A port to the MLS worker, transferred; keys come through it. */
  | { readonly kind: "keys-port"; readonly port: MessagePort }
  | { readonly kind: "send-epoch"; readonly scope: string; readonly group: string; readonly epoch: bigint }
  | { readonly kind: "stop"; readonly scope: string }
  | { readonly kind: "allow-leaf"; readonly trackId: string; readonly leaf: Holding | null }
  | { readonly kind: "forget-scope"; readonly scope: string };

/** From the MLS worker, through the port. base is a non-extractable HKDF key. */
export interface EpochKey {
  readonly kind: "epoch-key";
  readonly scope: string;
  readonly group: string;
  readonly epoch: bigint;
  readonly leaf: number;
  readonly base: CryptoKey;
  /** False when another seal worker may have used this epoch's counters. */
  readonly sendable: boolean;
}

export type AlarmCode = "decrypt-failures" | "codec-refused" | "counter-exhausted" | "no-such-epoch";

/** To the main thread. */
export type SealReport =
  | { readonly kind: "installed"; readonly scope: string; readonly epoch: bigint }
  | { readonly kind: "sending"; readonly scope: string; readonly epoch: bigint }
  | { readonly kind: "counters"; readonly tracks: readonly TrackCounters[] }
  | { readonly kind: "alarm"; readonly code: AlarmCode; readonly trackId: string | null; readonly scope: string };

export interface TrackCounters {
  readonly trackId: string;
  readonly direction: "send" | "receive";
  readonly scope: string;
  readonly counters: Counters;
  /** Epoch of the last frame opened. */
  readonly epoch: bigint | null;
}
