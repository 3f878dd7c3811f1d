// Which tracks this device asks for. Everything announced in the format is wanted while a person is in the room; sound first, then
// the largest pictures, so that a node that must choose chooses in this order.

export interface Announced {
  readonly id: string;
  readonly join: string;
  readonly source: string;
  readonly muted: boolean;
}

export interface WantedTrack {
  readonly track: string;
  readonly maxLayer: number;
}

const rank: Record<string, number> = { microphone: 0, "screen-audio": 1, screen: 2, camera: 3 };
/** Layers are to come (one is sent now); these are the wishes: full size on the stage, small beside it. */
const full = 2;
const small = 0;

/** wants orders the tracks of others. largest is the join whose picture is on the stage. */
export function wants(tracks: readonly Announced[], own: string, largest: string | undefined): WantedTrack[] {
  const order = (t: Announced) => (rank[t.source] ?? 9) * 2 + (t.join === largest ? 0 : 1);
  return tracks
    .filter((t) => t.join !== own)
    .sort((a, b) => order(a) - order(b) || (a.id < b.id ? -1 : 1))
    .map((t) => ({ track: t.id, maxLayer: t.source === "camera" && t.join !== largest ? small : full }));
}

/** sameWants compares two lists, so that the node is told only of changes. */
export function sameWants(a: readonly WantedTrack[], b: readonly WantedTrack[]): boolean {
  return a.length === b.length && a.every((w, i) => w.track === b[i]?.track && w.maxLayer === b[i]?.maxLayer);
}
