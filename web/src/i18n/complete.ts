import { problemCodes } from '../view/problem.ts';
import { languages, type Language } from './languages.ts';
import { problemTables, tables } from './all.ts';

// incomplete lists what a language lacks, or has too much: keys, plural forms, parameters, and sentences for each problem code.
// The build refuses to go on while it is not empty; the types say the same earlier, in the editor.
export function incomplete(codesInGo: readonly string[]): string[] {
  const faults: string[] = [];
  const codes: readonly string[] = problemCodes;
  for (const code of codesInGo) if (!codes.includes(code)) faults.push(`problem code ${code} has no sentences`);
  for (const code of codes) if (!codesInGo.includes(code)) faults.push(`problem code ${code} is not in internal/problem/codes.go`);
  for (const language of languages) faults.push(...words(language), ...sentences(language));
  return faults;
}

// codesOf reads the codes out of internal/problem/codes.go.
export function codesOf(source: string): string[] {
  return [...source.matchAll(/^\s*\w+\s+Code\s+=\s+"([^"]+)"/gm)].map((match) => match[1] ?? '');
}

function words(language: Language): string[] {
  const faults: string[] = [];
  const own = tables[language] as Record<string, unknown>;
  for (const key of Object.keys(own)) if (!(key in tables.en)) faults.push(`${language}: ${key} is not in English`);
  const categories = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
  for (const [key, english] of Object.entries(tables.en)) {
    const message = own[key];
    if (typeof english === 'string') {
      if (typeof message !== 'string' || message === '') faults.push(`${language}: ${key} is missing`);
      else if (names(message) !== names(english)) faults.push(`${language}: ${key} has other parameters than the English`);
    } else {
      const forms = (typeof message === 'object' && message !== null ? message : {}) as Record<string, string>;
      for (const category of categories) if (!forms[category]) faults.push(`${language}: ${key} has no form "${category}"`);
      for (const form of Object.keys(forms)) if (!(categories as string[]).includes(form)) faults.push(`${language}: ${key} has a form "${form}" that the language does not use`);
    }
  }
  return faults;
}

function sentences(language: Language): string[] {
  const table = problemTables[language] as Record<string, Record<string, string> | undefined>;
  return problemCodes.flatMap((code) => ['what', 'who', 'now'].filter((part) => !table[code]?.[part]).map((part) => `${language}: problem ${code} does not say "${part}"`));
}

const names = (text: string): string => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort().join();
