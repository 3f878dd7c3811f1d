// Isolation of text of unknown direction (Unicode UAX 9): a Latin acronym, a number or a bracket inside Arabic, an Arabic name
// inside English, must neither reorder its surroundings nor be reordered by them. In markup <bdi> does this; in plain strings
// the isolate characters do.
const firstStrongIsolate = '\u2068';
const leftToRightIsolate = '\u2066';
const popIsolate = '\u2069';

const rightToLeft = /[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFC]/;
// Overrides and isolates that came with the text itself could escape ours: they are dropped from what other people wrote.
const controls = /[\u200B\u200E\u200F\u202A-\u202E\u2060-\u2069\uFEFF]/g;

export function clean(text: string): string {
  return text.replace(controls, '');
}

// isolate wraps a value for a sentence of the given direction, only where the two could disturb each other.
export function isolate(value: string, direction: 'ltr' | 'rtl'): string {
  const text = clean(value);
  if (direction === 'ltr') return rightToLeft.test(text) ? firstStrongIsolate + text + popIsolate : text;
  return firstStrongIsolate + isolateTimes(text) + popIsolate;
}

// isolateTimes keeps a time and its zone in one piece inside Arabic: "15:04 UTC", never "UTC 15:04" beside "17:04 UTC".
export function isolateTimes(text: string): string {
  return text.replace(/\d{1,2}:\d{2}(:\d{2})? UTC/g, (time) => isolateLatin(time));
}

// isolateLatin is for what always reads left to right (a suite's name, a time, an address).
export function isolateLatin(value: string): string {
  return leftToRightIsolate + clean(value) + popIsolate;
}
