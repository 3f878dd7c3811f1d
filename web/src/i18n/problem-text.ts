import type { Problem, ProblemCode } from '../view/problem.ts';
import { isolate } from './bidi.ts';
import { directionOf, type Language } from './languages.ts';
import en from './problems/en.ts';
import { fill } from './translate.ts';

// What a failure says: what is lost, who hears what, what to do now.
export interface Sentences {
  readonly what: string;
  readonly who: string;
  readonly now: string;
  readonly reference: string; // for the technician: the code, and what the node said it was about
}
export type ProblemTable = Readonly<Record<ProblemCode, Omit<Sentences, 'reference'>>>;

/** The languages that can be read at present: English, and what speak.ts has loaded. */
export const problemTables: { readonly en: ProblemTable } & Partial<Record<Language, ProblemTable>> = { en };

// The parameters that a sentence may name, with what stands there when the node sent none.
export function problemText(problem: Problem, language: Language): Sentences {
  const sentences = (problemTables[language] ?? en)[problem.code];
  const direction = directionOf(language);
  const put = (text: string): string => fill(text, (name) => isolate(problem.params?.[name] ?? '—', direction));
  return { what: put(sentences.what), who: put(sentences.who), now: put(sentences.now), reference: [problem.code, problem.params?.['what'] ?? problem.params?.['field']].filter(Boolean).join(' / ') };
}
