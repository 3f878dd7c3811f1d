// Synthetic media for a browser's fake devices, made at set-up: a colour with a moving bar, and a tone. Nothing is committed.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = join(tmpdir(), `parley-e2e-media-${process.getuid?.() ?? 0}`);

/** One persona's look and sound: a colour whose dominant channel tells who it is, a tone of its own. */
export const looks = {
  red: { colour: "0xC02020", channel: 0, tone: 440 },
  green: { colour: "0x20C040", channel: 1, tone: 660 },
  blue: { colour: "0x2040D0", channel: 2, tone: 880 },
};

/** fakeMedia gives the files of a look, and the browser flags that make them its camera and microphone. */
export function fakeMedia(look) {
  const { colour, tone } = looks[look];
  mkdirSync(folder, { recursive: true });
  const video = join(folder, `${look}.mjpeg`);
  const audio = join(folder, `${look}.wav`);
  if (!existsSync(video)) {
    // A bar that moves, so that no two frames are the same and a frozen picture is seen.
    ffmpeg(["-f", "lavfi", "-i", `color=c=${colour}:size=640x360:rate=15:duration=4`, "-f", "lavfi", "-i", "color=c=white:size=12x360:rate=15:duration=4", "-filter_complex", "[0][1]overlay=x='mod(t*160,640)'", "-q:v", "4", video]);
  }
  if (!existsSync(audio)) ffmpeg(["-f", "lavfi", "-i", `sine=frequency=${tone}:sample_rate=48000:duration=10`, "-ac", "1", "-c:a", "pcm_s16le", audio]);
  return [`--use-file-for-fake-video-capture=${video}`, `--use-file-for-fake-audio-capture=${audio}`];
}

function ffmpeg(args) {
  execFileSync("ffmpeg", ["-hide_banner", "-loglevel", "error", "-y", ...args], { stdio: ["ignore", "ignore", "inherit"] });
}
