// The arrangement of pictures, from the log and from what has arrived. A picture is shown under a name only when its frames were
// opened with the key of the leaf whose device announced the track: the node cannot swap tiles.
import { hex } from "../../words/bytes";
import type { Member, State, Track } from "../../engine/session/state";
import type { Layout, MediaHandle, Picture, ScreenShare, Seal, Tile } from "../../view/model";
import type { Arrivals } from "../session/arrivals";
import { latest, plateOf, type PlanFacts } from "./people";

export interface LayoutContext {
  readonly facts: PlanFacts;
  readonly ownJoin: string | undefined;
  readonly arrivals: Arrivals;
  readonly wish: "stage" | "grid" | "photo";
  readonly stage: string | undefined;
  readonly ownPicture: MediaHandle | null;
  readonly ownScreen: MediaHandle | null;
  readonly ownMuted: boolean;
  /** reconnecting as in the roster. */
  reconnecting(m: Member): boolean;
  readonly now: number;
}

export interface Sources {
  readonly microphone?: Track;
  readonly camera?: Track;
  readonly screen?: Track;
}

/** sourcesOf finds the tracks of each join. */
export function sourcesOf(tracks: readonly Track[]): Map<string, Sources> {
  const out = new Map<string, Sources>();
  for (const t of tracks) {
    const join = hex(t.join);
    out.set(join, { ...out.get(join), [t.source]: t });
  }
  return out;
}

export function layoutOf(state: State, c: LayoutContext): Layout | null {
  const sources = sourcesOf(state.tracks());
  const present = state.present();
  // Whose connection was lost keeps a place: a fault is not a departure, and must not look like one.
  const others = latest(state).filter((m) => (m.state === "live" || m.state === "lost") && hex(m.join) !== c.ownJoin);
  const tiles = others.map((m) => tile(m, sources.get(hex(m.join)) ?? {}, c));
  const own = present.find((m) => hex(m.join) === c.ownJoin);
  const stage = tiles.find((t) => t.id === c.stage) ?? tiles[0] ?? (own === undefined ? undefined : ownTile(own, sources.get(hex(own.join)) ?? {}, c));
  if (stage === undefined) return null;
  const rest = tiles.filter((t) => t.id !== stage.id);
  if (c.wish === "photo") return { kind: "photo", stage };
  const shared = present.find((m) => sources.get(hex(m.join))?.screen !== undefined);
  if (shared !== undefined) {
    const screen = share(shared, sources.get(hex(shared.join))!.screen!, c);
    return { kind: "screen", screen, stage, others: rest };
  }
  return c.wish === "grid" && tiles.length > 1 ? { kind: "grid", tiles } : { kind: "stage", stage, others: rest };
}

function tile(m: Member, s: Sources, c: LayoutContext): Tile {
  const heard = s.microphone;
  const tracks = open(s);
  return {
    id: hex(m.join),
    plate: plateOf(m, c.facts),
    picture: pictureOf(s.camera, c),
    sound: heard === undefined ? "none" : heard.muted ? "muted" : "live",
    speaking: heard !== undefined && !heard.muted && c.arrivals.speaking(heard.id, c.now),
    presence: m.state === "lost" ? "lost" : c.reconnecting(m) ? "reconnecting" : "here",
    seal: sealOf(tracks, c),
    own: false,
  };
}

const open = (s: Sources): string[] => [s.camera, s.microphone].filter((t) => t !== undefined && !t.muted).map((t) => t!.id);

/** silent says that everything a member shows and says came, and has stopped coming. */
export function silent(s: Sources, arrivals: Arrivals, now: number): boolean {
  const tracks = open(s);
  return tracks.length > 0 && tracks.every((t) => arrivals.stalled(t, now));
}

function ownTile(m: Member, s: Sources, c: LayoutContext): Tile {
  return {
    id: hex(m.join),
    plate: plateOf(m, c.facts),
    picture: c.ownPicture === null ? { kind: "none" } : { kind: "live", media: c.ownPicture },
    sound: s.microphone === undefined ? "none" : c.ownMuted ? "muted" : "live",
    speaking: false,
    presence: "here",
    seal: "sealed",
    own: true,
  };
}

function share(m: Member, t: Track, c: LayoutContext): ScreenShare {
  const own = hex(m.join) === c.ownJoin;
  const by = plateOf(m, c.facts);
  if (!own) return { id: t.id, by, picture: pictureOf(t, c), seal: sealOf([t.id], c), own };
  return { id: t.id, by, picture: c.ownScreen === null ? { kind: "none" } : { kind: "live", media: c.ownScreen }, seal: "sealed", own };
}

function pictureOf(t: Track | undefined, c: LayoutContext): Picture {
  if (t === undefined || t.muted) return { kind: "none" };
  const media = c.arrivals.picture(t.id);
  return media === null ? { kind: "still-starting" } : { kind: "live", media };
}

/** The worst of a person's tracks is said. */
function sealOf(tracks: readonly string[], c: LayoutContext): Seal {
  const all = tracks.map((t) => c.arrivals.opening(t, c.now));
  if (all.includes("cannot-open")) return "cannot-open";
  return all.length > 0 && all.includes("opening") ? "opening" : "sealed";
}
