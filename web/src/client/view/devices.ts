// One's own devices as the page shows them.
import { pictureOf } from "../../media/picture";
import type { Listed } from "../../media/devices";
import type { OwnState } from "../../media/own";
import type { Camera, DeviceChoice, Devices, MediaHandle, Microphone } from "../../view/model";
import { asProblemCode } from "../../view/model";

/** A microphone is proven by sound of its own within this time, ms. */
const provenWithin = 5_000;

/** microphone: sent is whether the sealed packets left; outside the room nothing is sent and the device alone is proven. */
export function microphone(own: OwnState, muted: boolean, sent: boolean): Microphone {
  const m = own.microphone;
  switch (m.kind) {
    case "off":
    case "asking":
      return { kind: "asking" };
    case "failed":
      return { kind: "failed", problem: { code: asProblemCode(m.code) } };
    case "live":
      if (muted || m.level === null) return { kind: "muted" };
      return { kind: "live", level: m.level, proven: sent && m.level.aliveWithin(provenWithin) };
  }
}

export function camera(own: OwnState): Camera {
  const c = own.camera;
  switch (c.kind) {
    case "off":
      return { kind: "off" };
    case "asking":
      return { kind: "asking" };
    case "failed":
      return { kind: "failed", problem: { code: asProblemCode(c.code) } };
    case "live":
      return { kind: "live", picture: pictureOf(c.track) };
  }
}

export function ownPicture(own: OwnState): MediaHandle | null {
  return own.camera.kind === "live" ? pictureOf(own.camera.track) : null;
}

export function devices(own: OwnState): Devices {
  const of = (kind: Listed["kind"]): DeviceChoice[] => own.listed.filter((d) => d.kind === kind).map(({ id, label }) => ({ id, label }));
  const speakers = "setSinkId" in HTMLMediaElement.prototype ? of("speaker") : [];
  return {
    microphone: { chosen: own.chosen.microphone, choices: of("microphone") },
    camera: { chosen: own.chosen.camera, choices: of("camera") },
    speaker: { chosen: own.chosen.speaker, choices: speakers },
  };
}
