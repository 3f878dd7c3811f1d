// What media asks of the seal. A sender or receiver without a transform must never exist: up.ts and down.ts call these before
// a description is set or a track put in, and refuse to go on if they throw.

export type MediaKind = "audio" | "video";

export interface Sealing {
  /** seal puts the sealing transform of a track on a sender. */
  seal(sender: RTCRtpSender, track: string, kind: MediaKind): void;
  /** open puts the opening transform on a receiver, or tells the one there that another track comes now. */
  open(receiver: RTCRtpReceiver, track: string, kind: MediaKind): void;
  /** forget ends what was kept for a track. */
  forget(track: string): void;
}
