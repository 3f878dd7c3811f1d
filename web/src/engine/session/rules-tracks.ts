// Tracks are their owner's alone (internal/session/rules_tracks.go).
import type { DecodedAct } from "../../words/act";
import { publishBody, trackBody } from "../../words/body";
import { equal } from "../../words/bytes";
import { problem } from "../../words/problem";
import { isTrackId } from "../../words/text";
import { maxTracks, maxTracksEach, maxTracksEver, maxTracksSoon, tracksSoon } from "./limits";
import { memberByJoin, trackById, type Track } from "./model";
import type { Step } from "./step";

export function publish(s: Step, a: DecodedAct): void {
  const b = s.body(publishBody, a);
  s.running();
  const j = s.author(a);
  if (!isTrackId(b.track) || !isSource(b.source, b.codec)) throw problem("malformed", { what: "track" });
  const known = trackById(s.model, b.track);
  if (known !== undefined) throw problem(equal(known.join, j.join) ? "already-done" : "not-yours");
  const mine = s.model.tracks.filter((t) => !t.gone && equal(t.join, j.join));
  if (mine.some((t) => t.source === b.source)) throw problem("already-done", { what: "source" });
  const ours = s.model.tracks.filter((t) => equal(memberByJoin(s.model, t.join)!.side, a.act.side));
  // Of one person, whatever the device and however often it joins: a stolen one must not use up the tracks of the others.
  const ever = ours.filter((t) => memberByJoin(s.model, t.join)!.person === j.person);
  const soon = ever.filter((t) => s.at - t.at < tracksSoon);
  const many = soon.length >= maxTracksSoon || ever.length >= maxTracksEver || ours.length >= maxTracks;
  if (mine.length >= maxTracksEach || many) throw problem("too-many", { what: "tracks" });
  s.model.tracks.push({ id: b.track, join: j.join, source: b.source, codec: b.codec, muted: b.muted, gone: false, at: s.at });
  s.effect({ kind: "published", act: a.id, side: a.act.side, join: j.join, track: b.track });
}

export function withdraw(s: Step, a: DecodedAct): void {
  const b = s.body(trackBody, a);
  s.inForce();
  const t = ownTrack(s, a, b.track);
  t.gone = true;
  s.effect({ kind: "withdrawn", act: a.id, side: a.act.side, join: t.join, track: t.id });
}

export function mute(s: Step, a: DecodedAct): void {
  const b = s.body(trackBody, a);
  s.inForce();
  setMuted(s, a, b.track, true);
}

export function unmute(s: Step, a: DecodedAct): void {
  const b = s.body(trackBody, a);
  s.running();
  setMuted(s, a, b.track, false);
}

function setMuted(s: Step, a: DecodedAct, track: string, muted: boolean): void {
  const t = ownTrack(s, a, track);
  if (t.muted === muted) throw problem("already-done");
  t.muted = muted;
  s.effect({ kind: muted ? "muted" : "unmuted", act: a.id, side: a.act.side, join: t.join, track: t.id });
}

/** ownTrack: "not yours" is asked before whether the track is still there, because no race can make it wrong. */
function ownTrack(s: Step, a: DecodedAct, id: string): Track {
  if (!isTrackId(id)) throw problem("malformed", { what: "track" });
  const t = trackById(s.model, id);
  if (t === undefined) throw problem("no-such-track");
  const owner = memberByJoin(s.model, t.join)!;
  if (!equal(owner.device, a.act.key) || !equal(owner.side, a.act.side)) throw problem("not-yours");
  if (t.gone) throw problem("no-such-track");
  return t;
}

function isSource(source: string, codec: string): boolean {
  switch (source) {
    case "microphone":
    case "screen-audio":
      return codec === "opus";
    case "camera":
    case "screen":
      return codec === "vp9" || codec === "vp8" || codec === "av1";
    default:
      return false;
  }
}
