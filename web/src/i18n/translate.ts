import { isolate } from './bidi.ts';
import { directionOf, numberLocale, type Language } from './languages.ts';
import type { Messages, Params, Plural } from './message.ts';
import en from './words/en.ts';

export type English = typeof en;
export type Key = keyof English;

export type Words = { readonly [L in Language]: L extends 'en' ? English : Messages<English, L> };
export type Table = Words[Language];

/** The languages that can be read at present: English, and what speak.ts has loaded. */
export const tables: Pick<Words, 'en'> & Partial<Words> = { en };

// A translator of one language. t(key, params) isolates every value, and chooses a plural by params.n.
export type Translate = <K extends Key>(key: K, ...params: Params<English[K]>) => string;

export function translator(language: Language): Translate {
  const table = (tables[language] ?? en) as Record<Key, string | Plural<Language>>;
  // Made when they are needed: to make them takes longer than to draw the first screen, which has no number.
  let rules: Intl.PluralRules | undefined;
  let numbers: Intl.NumberFormat | undefined;
  const direction = directionOf(language);
  return (key, ...rest) => {
    const params = (rest[0] ?? {}) as Record<string, string | number>;
    const message = table[key];
    const text = typeof message === 'string' ? message : choose(message, (rules ??= new Intl.PluralRules(language)).select(Number(params['n'])));
    return fill(text, (name) => {
      const value = params[name];
      if (value === undefined) return '';
      return typeof value === 'number' ? (numbers ??= new Intl.NumberFormat(numberLocale(language))).format(value) : isolate(value, direction);
    });
  };
}

function choose(forms: Partial<Record<Intl.LDMLPluralRule, string>>, rule: Intl.LDMLPluralRule): string {
  return forms[rule] ?? forms.other ?? '';
}

export function fill(text: string, value: (name: string) => string): string {
  return text.replace(/\{(\w+)\}/g, (_all, name: string) => value(name));
}
