// All six languages at once: for the build, which checks that none lacks a word and writes a file of each, for tests and the gallery.
// The page itself holds English and loads the language that its person reads (speak.ts).
import { problemTables, type ProblemTable } from './problem-text.ts';
import arProblems from './problems/ar.ts';
import esProblems from './problems/es.ts';
import frProblems from './problems/fr.ts';
import ruProblems from './problems/ru.ts';
import zhProblems from './problems/zh.ts';
import { tables, type Words } from './translate.ts';
import ar from './words/ar.ts';
import es from './words/es.ts';
import fr from './words/fr.ts';
import ru from './words/ru.ts';
import zh from './words/zh.ts';

const allWords = { ...tables, ar, es, fr, ru, zh } satisfies Words;
const allProblems: Record<keyof typeof allWords, ProblemTable> = {
  en: problemTables.en, ar: arProblems, es: esProblems, fr: frProblems, ru: ruProblems, zh: zhProblems,
};
Object.assign(tables, allWords);
Object.assign(problemTables, allProblems);

export { allProblems as problemTables, allWords as tables };
