import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { problemCodes } from '../view/problem.ts';
import { clean, isolate } from './bidi.ts';
import { codesOf, incomplete } from './complete.ts';
import { chooseLanguage, directionOf, languages } from './languages.ts';
import { problemTables, tables } from './all.ts';
import { problemText } from './problem-text.ts';
import { pick } from './text.ts';
import { day, moment, utc, zoned } from './time.ts';
import { translator, type Key } from './translate.ts';

const forms = (message: unknown): Record<string, string> => (typeof message === 'string' ? { other: message } : (message as Record<string, string>));

describe('problem codes', () => {
  const go = codesOf(readFileSync(new URL('../../../internal/problem/codes.go', import.meta.url), 'utf8'));

  it('are those of internal/problem/codes.go, in its order', () => {
    expect(go.length).toBeGreaterThan(40);
    expect([...problemCodes]).toEqual(go);
  });

  it('and words are complete, as the build asks', () => {
    expect(incomplete(go)).toEqual([]);
    expect(incomplete([...go, 'new-code'])).toEqual(['problem code new-code has no sentences']);
    expect(incomplete(go.slice(1))).toEqual(['problem code internal is not in internal/problem/codes.go']);
  });

  it.each(languages)('have three sentences each in %s', (language) => {
    for (const code of problemCodes) {
      const { what, who, now } = problemTables[language][code];
      for (const sentence of [what, who, now]) {
        expect(sentence, code).toMatch(/[.。؟?]$/);
        expect(sentence.length, code).toBeGreaterThan(4);
      }
      expect(Object.keys(problemTables[language]).sort()).toEqual([...problemCodes].sort());
    }
  });

  it('show a dash where the node sent no parameter, and never braces', () => {
    for (const language of languages) for (const code of problemCodes) expect(Object.values(problemText({ code }, language)).join('')).not.toMatch(/[{}]/);
  });
});

describe('words', () => {
  it.each(languages.filter((language) => language !== 'en'))('in %s are translated', (language) => {
    const same = Object.entries(tables.en).filter(([key, message]) => typeof message === 'string' && (tables[language] as Record<string, unknown>)[key] === message);
    // Words that are spelled alike in both languages, and UTC.
    expect(same.length, same.map(([key]) => key).join(' ')).toBeLessThan(20);
  });

  it('choose the plural form', () => {
    expect(translator('en')('roster.count', { n: 1 })).toBe('1 person');
    expect(translator('ar')('roster.count', { n: 2 })).toBe('شخصان');
    expect(translator('ar')('roster.count', { n: 3 })).toContain('3 أشخاص');
    expect(translator('ru')('roster.count', { n: 21 })).toBe('21 человек');
    expect(translator('ru')('roster.count', { n: 23 })).toBe('23 человека');
    expect(translator('zh')('roster.count', { n: 5 })).toBe('5 人');
  });

  it('hold no straight quotation marks, no emoji and no invisible character', () => {
    for (const language of languages) {
      for (const [key, message] of Object.entries(tables[language])) {
        for (const text of Object.values(forms(message))) {
          expect(text, `${language} ${key}`).not.toMatch(/["'\u200B-\u200F\u202A-\u202E\u2066-\u2069]|\p{Extended_Pictographic}/u);
        }
      }
    }
  });
});

describe('isolation', () => {
  it('keeps a Latin value apart inside Arabic, and an Arabic one inside English', () => {
    expect(translator('ar')('link.down', { side: 'Velmark' })).toBe('انقطع الخط مع \u2068Velmark\u2069');
    expect(translator('en')('link.down', { side: 'Velmark' })).toBe('Link to Velmark lost');
    expect(translator('en')('link.down', { side: 'قصران' })).toBe('Link to \u2068قصران\u2069 lost');
  });

  it('drops controls that came with the text, so that a name cannot escape its isolate', () => {
    expect(clean('Ann\u202Egnihton\u2069')).toBe('Anngnihton');
    expect(isolate('a\u2069b', 'rtl')).toBe('\u2068ab\u2069');
  });

  it('keeps a time and its zone in one piece inside Arabic', () => {
    expect(translator('ar')('pending.since', { time: utc(Date.UTC(2021, 11, 7, 15, 4), 'ar') })).toContain('\u206615:04 UTC\u2069');
  });

  it('picks the reader’s language, else English, else the first', () => {
    expect(pick({ ar: 'قصران', en: 'Qasran' }, 'ar')).toEqual({ text: 'قصران', language: 'ar', direction: 'rtl' });
    expect(pick({ ar: 'قصران', en: 'Qasran' }, 'fr').text).toBe('Qasran');
    expect(pick({ ar: 'قصران' }, 'fr').direction).toBe('rtl');
    expect(pick({}, 'fr').text).toBe('');
  });
});

describe('languages and times', () => {
  it('take the first wish that Parley speaks', () => {
    expect(chooseLanguage([null, 'de-AT', 'ar-SA', 'en'])).toBe('ar');
    expect(chooseLanguage(['de'])).toBe('en');
    expect(directionOf('ar-EG')).toBe('rtl');
    expect(directionOf('az')).toBe('ltr');
  });

  it('write the same digits and the same calendar everywhere', () => {
    const at = Date.UTC(2021, 11, 7, 15, 4, 10);
    expect(utc(at, 'en')).toBe('7 December 2021, 15:04 UTC');
    expect(zoned(at, 'Asia/Riyadh', 'en')).toBe('7 December 2021, 18:04 (UTC+03:00)');
    expect(zoned(at, 'Asia/Riyadh', 'ar')).toContain('\u206618:04 (UTC+03:00)\u2069');
    for (const language of languages) {
      expect(moment(at, 'UTC', language, true).time).toBe('15:04:10');
      expect(day(at, language)).toMatch(/2021/);
    }
    expect(moment(at, 'Asia/Riyadh', 'en').time).toBe('18:04');
    expect(moment(at, 'Nowhere/Never', 'en').time).toBe('15:04');
  });
});

// A key that does not exist, or a parameter that is missing, does not compile.
export function typed(): void {
  const t = translator('en');
  // @ts-expect-error no such key
  t('room.nothing');
  // @ts-expect-error the parameter is missing
  t('link.down');
  // @ts-expect-error another parameter is meant
  t('link.down', { name: 'x' });
  const known: Key = 'room.label';
  t(known);
}
