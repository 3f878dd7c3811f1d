import type { Language } from './languages.ts';

// The plural forms that each language must give (Unicode CLDR plural rules, cardinal, as Intl.PluralRules reports them).
export interface PluralForms {
  en: 'one' | 'other';
  ar: 'zero' | 'one' | 'two' | 'few' | 'many' | 'other';
  fr: 'one' | 'many' | 'other';
  ru: 'one' | 'few' | 'many' | 'other';
  zh: 'other';
  es: 'one' | 'many' | 'other';
}

// A plural message chooses its form by the parameter {n}.
export type Plural<L extends Language> = Readonly<Record<PluralForms[L], string>>;

// Messages<Source, L>: the same keys as the English table, text for text and plural for plural. A missing or an extra key is
// a type error.
export type Messages<Source, L extends Language> = {
  readonly [K in keyof Source]: Source[K] extends string ? string : Plural<L>;
};

// The names in braces of a message.
export type Names<S> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;
export type NamesOf<M> = M extends string ? Names<M> : 'n' | { [F in keyof M]: Names<M[F]> }[keyof M];
export type Params<M> = [NamesOf<M>] extends [never] ? [] : [params: Readonly<Record<NamesOf<M>, string | number>>];
