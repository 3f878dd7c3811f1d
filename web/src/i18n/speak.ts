// The page holds English; another language is a file of its own, loaded when somebody reads it and checked against the hash that was
// built into this script: a script may not be fetched without one (Integrity-Policy), and neither should the words people act on.
import { wordsOf } from 'virtual:parley-words';
import type { Language } from './languages.ts';
import { problemTables, type ProblemTable } from './problem-text.ts';
import { tables, type Table } from './translate.ts';

/** speak is done when a language can be read; it throws where its file cannot be had, and then English is read. */
export async function speak(language: Language): Promise<void> {
  if (language === 'en' || tables[language] !== undefined) return;
  const { words, problems } = await wordsOf(language);
  Object.assign(tables, { [language]: words as Table });
  Object.assign(problemTables, { [language]: problems as ProblemTable });
}
