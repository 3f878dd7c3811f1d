import type { Problem, ProblemCode } from '../view/problem.ts';
import { isolate } from './bidi.ts';
import { directionOf, type Language } from './languages.ts';
import ar from './problems/ar.ts';
import en from './problems/en.ts';
import es from './problems/es.ts';
import fr from './problems/fr.ts';
import ru from './problems/ru.ts';
import zh from './problems/zh.ts';
import { fill } from './translate.ts';

// What a failure says: what is lost, who hears what, what to do now.
export interface Sentences {
  readonly what: string;
  readonly who: string;
  readonly now: string;
  readonly reference: string; // for the technician: the code, and what the node said it was about
}
export type ProblemTable = Readonly<Record<ProblemCode, Omit<Sentences, 'reference'>>>;

export const problemTables: Record<Language, ProblemTable> = { en, ar, fr, ru, zh, es };

// The parameters that a sentence may name, with what stands there when the node sent none.
export function problemText(problem: Problem, language: Language): Sentences {
  const sentences = problemTables[language][problem.code];
  const direction = directionOf(language);
  const put = (text: string): string => fill(text, (name) => isolate(problem.params?.[name] ?? '—', direction));
  return { what: put(sentences.what), who: put(sentences.who), now: put(sentences.now), reference: [problem.code, problem.params?.['what'] ?? problem.params?.['field']].filter(Boolean).join(' / ') };
}
