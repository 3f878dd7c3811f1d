import type { Text } from '../view/people.ts';
import { clean } from './bidi.ts';
import { directionOf } from './languages.ts';

// Picked is a text in the language that was found, which is not always the one asked for.
export interface Picked {
  readonly text: string;
  readonly language: string;
  readonly direction: 'ltr' | 'rtl';
}

// pick takes the reader's language, else English, else what the side wrote first.
export function pick(text: Text, language: string): Picked {
  const tags = Object.keys(text);
  const base = (tag: string): string => tag.toLowerCase().split('-')[0] ?? tag;
  const tag = tags.find((t) => t === language) ?? tags.find((t) => base(t) === language) ?? tags.find((t) => base(t) === 'en') ?? tags[0];
  if (tag === undefined) return { text: '', language: 'und', direction: 'ltr' };
  return { text: clean(text[tag] ?? ''), language: tag, direction: directionOf(tag) };
}
