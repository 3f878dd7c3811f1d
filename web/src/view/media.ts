// Media as the page may touch it: opaque handles. Sound is not here: the client plays it, so that it goes on whatever page is open.

export interface MediaHandle {
  readonly id: string; // changes when the source changes
  attach(video: HTMLVideoElement): () => void; // returns detach
}

// A level moves ten times a second and must not redraw the page, so it is subscribed to apart from the view. 0 is silence, 1 full scale.
export interface LevelHandle {
  subscribe(listener: (level: number) => void): () => void;
}

// `proven` means that the device itself was seen to carry sound within the last seconds, and that the sealed packets left.
export type Microphone =
  | { readonly kind: 'live'; readonly level: LevelHandle; readonly proven: boolean }
  | { readonly kind: 'muted' }
  | { readonly kind: 'asking' }
  | { readonly kind: 'failed'; readonly problem: import('./problem.ts').Problem };

export type Camera =
  | { readonly kind: 'live'; readonly picture: MediaHandle }
  | { readonly kind: 'off' }
  | { readonly kind: 'asking' }
  | { readonly kind: 'failed'; readonly problem: import('./problem.ts').Problem };

export type DeviceKind = 'microphone' | 'camera' | 'speaker';

export interface DeviceChoice {
  readonly id: string;
  readonly label: string; // as the operating system names it
}

export interface Devices {
  readonly microphone: { readonly chosen: string | null; readonly choices: readonly DeviceChoice[] };
  readonly camera: { readonly chosen: string | null; readonly choices: readonly DeviceChoice[] };
  readonly speaker: { readonly chosen: string | null; readonly choices: readonly DeviceChoice[] }; // no choices: the browser cannot choose
}

export type Picture =
  | { readonly kind: 'live'; readonly media: MediaHandle }
  | { readonly kind: 'still-starting' } // announced, no frame decoded yet
  | { readonly kind: 'none' }; // no camera published

export type Sound = 'live' | 'muted' | 'none';
export type Seal = 'sealed' | 'opening' | 'cannot-open'; // opening: the keys are here, no frame has been opened yet

export interface Tile {
  readonly id: string;
  readonly plate: import('./people.ts').Plate;
  readonly picture: Picture;
  readonly sound: Sound;
  readonly speaking: boolean;
  readonly presence: 'here' | 'reconnecting' | 'lost';
  readonly seal: Seal;
  readonly own: boolean; // oneself: mirrored
}

export interface ScreenShare {
  readonly id: string;
  readonly by: import('./people.ts').Plate;
  readonly picture: Picture;
  readonly seal: Seal;
  readonly own: boolean;
}

export type Layout =
  | { readonly kind: 'stage'; readonly stage: Tile; readonly others: readonly Tile[] }
  | { readonly kind: 'grid'; readonly tiles: readonly Tile[] }
  | { readonly kind: 'screen'; readonly screen: ScreenShare; readonly stage: Tile | null; readonly others: readonly Tile[] }
  | { readonly kind: 'photo'; readonly stage: Tile }; // safe to photograph: one picture and its name plate
