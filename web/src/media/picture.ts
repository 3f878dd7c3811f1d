// A picture that a page may show: an opaque handle on a media track.

export interface Picture {
  readonly id: string;
  attach(video: HTMLVideoElement): () => void;
}

const made = new WeakMap<MediaStreamTrack, Picture>();

/** pictureOf gives the one handle of a track: the same track, the same handle, so that a page does not redraw it. */
export function pictureOf(track: MediaStreamTrack): Picture {
  const before = made.get(track);
  if (before !== undefined) return before;
  const stream = new MediaStream([track]);
  const handle = Object.freeze({
    id: track.id,
    attach(video: HTMLVideoElement) {
      video.muted = true; // sound is played by player.ts, once, whatever page is open
      video.playsInline = true;
      video.srcObject = stream;
      void video.play().catch(() => undefined);
      return () => {
        if (video.srcObject === stream) video.srcObject = null;
      };
    },
  });
  made.set(track, handle);
  return handle;
}
