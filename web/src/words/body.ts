// Bodies of the acts (internal/act/body.go).
import { bool, bytes, int, list, struct, text, texts, uint, uint32, type Of } from "./schema";

/** The one key profile of this protocol version. */
export const profile = "parley-1 MLS_256_XWING_AES256GCM_SHA512_Ed25519 SFrame_AES_256_GCM_SHA512_128";

export const seatBody = struct({ side: bytes, person: text, role: text });
const formatBody = struct({ id: text, name: texts, seats: list(seatBody) });
export const planSideBody = struct({
  id: bytes,
  name: texts,
  language: text,
  zone: text,
  delegation: bytes,
  node: bytes,
  officers: list(bytes),
});
export const planBody = struct({
  title: texts,
  status: text,
  sides: list(planSideBody),
  sequencer: bytes,
  format: formatBody,
  profile: text,
  recording: text,
  from: int,
  until: int,
});
export const consentBody = struct({ to: bytes });
export const admitBody = struct({ format: text, seat: seatBody });
export const joinBody = struct({ accreditation: bytes, session: bytes, keypackage: bytes });
export const leaveBody = struct({ join: bytes });
export const lostBody = struct({ join: bytes });
export const publishBody = struct({ track: text, source: text, codec: text, muted: bool });
export const trackBody = struct({ track: text }); // withdraw, mute, unmute
export const suspendBody = struct({ reason: text, of: bytes });
export const emptyBody = struct({}); // resume, close
export const extendBody = struct({ until: int });
export const revokeBody = struct({ revocation: bytes });
export const groupNewBody = struct({ group: bytes, join: bytes });
export const commitBody = struct({
  group: bytes,
  epoch: uint,
  adds: list(bytes),
  removes: list(uint32),
  message: bytes,
  welcome: bytes,
});
export const termBody = struct({ term: uint, sequencer: bytes, after: uint, hash: bytes, others: list(bytes) });

export type Seat = Of<typeof seatBody>;
export type Plan = Of<typeof planBody>;
export type PlanSide = Of<typeof planSideBody>;
export type Commit = Of<typeof commitBody>;
export type Term = Of<typeof termBody>;
