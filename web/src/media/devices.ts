// The person's own devices: what can be captured, opened as chosen, and every refusal with its name.

/** DeviceError carries the problem code of a device that could not be had. */
export class DeviceError extends Error {
  readonly code: string;
  constructor(code: string, cause?: unknown) {
    super(code, { cause });
    this.code = code;
  }
}

export interface Choice {
  microphone?: string;
  camera?: string;
  /** Off for a room with a proper echo canceller of its own. */
  echoCancellation: boolean;
}

export interface Listed {
  id: string;
  label: string;
  kind: "microphone" | "camera" | "speaker";
}

const kinds: Record<MediaDeviceKind, Listed["kind"]> = { audioinput: "microphone", videoinput: "camera", audiooutput: "speaker" };

export async function listDevices(): Promise<Listed[]> {
  const all = await navigator.mediaDevices.enumerateDevices();
  return all.filter((d) => d.deviceId !== "").map((d) => ({ id: d.deviceId, label: d.label, kind: kinds[d.kind] }));
}

/**
 * openMicrophone captures 48 kHz speech as it is: noise suppression and automatic gain change what an interpreter hears and
 * hide a badly placed microphone from the person who must notice it.
 */
export async function openMicrophone(choice: Choice): Promise<MediaStreamTrack> {
  return only(await capture({ audio: speech(choice) }, "microphone"));
}

export async function openCamera(choice: Choice): Promise<MediaStreamTrack> {
  return only(await capture({ video: portrait(choice) }, "camera"));
}

/** openBoth asks once for both, so that the person is asked once. */
export async function openBoth(choice: Choice): Promise<{ microphone: MediaStreamTrack; camera: MediaStreamTrack }> {
  const stream = await capture({ audio: speech(choice), video: portrait(choice) }, "microphone");
  const [microphone] = stream.getAudioTracks();
  const [camera] = stream.getVideoTracks();
  if (microphone === undefined || camera === undefined) throw new DeviceError("media-failed");
  return { microphone, camera };
}

function speech(choice: Choice): MediaTrackConstraints {
  return {
    sampleRate: { ideal: 48_000 },
    channelCount: { ideal: 1 },
    echoCancellation: choice.echoCancellation,
    noiseSuppression: false,
    autoGainControl: false,
    ...(choice.microphone === undefined ? {} : { deviceId: { exact: choice.microphone } }),
  };
}

function portrait(choice: Choice): MediaTrackConstraints {
  return {
    width: { ideal: 1280 },
    height: { ideal: 720 },
    frameRate: { ideal: 25, max: 30 },
    ...(choice.camera === undefined ? {} : { deviceId: { exact: choice.camera } }),
  };
}

/** openScreen asks the person which screen to show; sound comes along where the browser gives it. */
export async function openScreen(): Promise<{ picture: MediaStreamTrack; sound: MediaStreamTrack | undefined }> {
  let stream: MediaStream;
  try {
    stream = await navigator.mediaDevices.getDisplayMedia({
      video: { frameRate: { ideal: 15, max: 30 } },
      audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    });
  } catch (e) {
    throw new DeviceError("screen-refused", e);
  }
  const [picture] = stream.getVideoTracks();
  if (picture === undefined) throw new DeviceError("screen-refused");
  return { picture, sound: stream.getAudioTracks()[0] };
}

async function capture(constraints: MediaStreamConstraints, device: "microphone" | "camera"): Promise<MediaStream> {
  try {
    return await navigator.mediaDevices.getUserMedia(constraints);
  } catch (e) {
    throw new DeviceError(codeOf(e, device), e);
  }
}

/** codeOf separates "the person or the browser said no" from "the device is not there or in other hands". */
export function codeOf(e: unknown, device: "microphone" | "camera"): string {
  const name = e instanceof Error || e instanceof DOMException ? e.name : "";
  return name === "NotAllowedError" || name === "SecurityError" ? `${device}-refused` : `${device}-lost`;
}

function only(stream: MediaStream): MediaStreamTrack {
  const [track] = stream.getTracks();
  if (track === undefined) throw new DeviceError("media-failed");
  return track;
}
