// A bench with cameras and microphones that a test plugs in and out. Chromium's own fake devices cannot be unplugged, and all of them look
// and sound alike; here each camera has a colour of its own and each microphone a tone. Nothing else of the page is touched.

/** bench runs in the page before the client, and begins with nothing plugged in. */
export function bench() {
  const plugged = new Map();
  const live = new Map();
  const media = navigator.mediaDevices;
  let sound;
  const picture = ({ colour }) => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [640, 360];
    const c = canvas.getContext("2d");
    let x = 0;
    const timer = setInterval(() => {
      c.fillStyle = colour;
      c.fillRect(0, 0, 640, 360);
      c.fillStyle = "white";
      c.fillRect((x += 12) % 640, 0, 12, 360);
    }, 66);
    return [canvas.captureStream(15).getVideoTracks()[0], () => clearInterval(timer)];
  };
  const voice = ({ tone }) => {
    sound ??= new AudioContext();
    const [oscillator, out] = [sound.createOscillator(), sound.createMediaStreamDestination()];
    oscillator.frequency.value = tone;
    oscillator.connect(out);
    oscillator.start();
    return [out.stream.getAudioTracks()[0], () => oscillator.stop()];
  };
  const open = (kind, want) => {
    const id = want.deviceId?.exact;
    const device = [...plugged.values()].find((d) => d.kind === kind && (id === undefined || d.id === id));
    if (device === undefined) throw id === undefined ? new DOMException("no device", "NotFoundError") : new DOMException("not this device", "OverconstrainedError");
    const [track, end] = (kind === "videoinput" ? picture : voice)(device);
    const settings = track.getSettings.bind(track);
    track.getSettings = () => ({ ...settings(), deviceId: device.id });
    const stop = track.stop.bind(track);
    track.stop = () => {
      end();
      stop();
      live.get(device.id)?.delete(track);
    };
    live.set(device.id, (live.get(device.id) ?? new Set()).add(track));
    return track;
  };
  media.enumerateDevices = async () => [...plugged.values()].map(({ id, kind }) => ({ deviceId: id, kind, label: id, groupId: "" }));
  media.getUserMedia = async ({ audio, video }) => {
    const tracks = [];
    try {
      if (audio) tracks.push(open("audioinput", audio));
      if (video) tracks.push(open("videoinput", video));
    } catch (e) {
      for (const t of tracks) t.stop();
      throw e;
    }
    return new MediaStream(tracks);
  };
  window.__bench = {
    plug(device) {
      plugged.set(device.id, device);
      media.dispatchEvent(new Event("devicechange"));
    },
    /** unplug ends a device's tracks as the browser does it: ended is told, after the tracks give nothing more. */
    unplug(id) {
      plugged.delete(id);
      for (const track of [...(live.get(id) ?? [])]) {
        track.stop();
        track.dispatchEvent(new Event("ended"));
      }
      media.dispatchEvent(new Event("devicechange"));
    },
    /** open counts the tracks that a device gives right now: one that nobody looks at any more is a camera left on. */
    open: (id) => live.get(id)?.size ?? 0,
  };
}

export const camera = (id, colour) => ({ id, kind: "videoinput", colour });
export const microphone = (id, tone) => ({ id, kind: "audioinput", tone });
export const plug = ({ page }, ...devices) => page.evaluate((all) => all.forEach((d) => window.__bench.plug(d)), devices);
export const unplug = ({ page }, ...ids) => page.evaluate((all) => all.forEach((id) => window.__bench.unplug(id)), ids);
export const opened = ({ page }, id) => page.evaluate((i) => window.__bench.open(i), id);
