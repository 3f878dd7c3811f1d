import { isolateLatin, isolateTimes } from './bidi.ts';
import { type Language } from './languages.ts';

// Every time is shown with its zone, in 24 hours: a bare local time has no meaning between two capitals.

export interface Moment {
  readonly time: string; // 15:04 or 15:04:10
  readonly date: string; // 7 December 2021
}

// Day before month, 24 hours, and the Gregorian calendar everywhere: one date has one name on both sides.
const dateLocale: Record<Language, string> = {
  en: 'en-GB-u-ca-gregory-nu-latn', ar: 'ar-EG-u-ca-gregory-nu-latn', fr: 'fr-u-ca-gregory-nu-latn',
  ru: 'ru-u-ca-gregory-nu-latn', zh: 'zh-CN-u-ca-gregory-nu-latn', es: 'es-u-ca-gregory-nu-latn',
};

const formats = new Map<string, Intl.DateTimeFormat>();
function format(language: Language, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = language + JSON.stringify(options);
  let made = formats.get(key);
  if (!made) {
    made = new Intl.DateTimeFormat(dateLocale[language], options);
    formats.set(key, made);
  }
  return made;
}

export function moment(ms: number, zone: string, language: Language, seconds = false): Moment {
  const timeZone = known(zone);
  const time: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone };
  if (seconds) time.second = '2-digit';
  return {
    time: format(language, time).format(ms),
    date: format(language, { day: 'numeric', month: 'long', year: 'numeric', timeZone }).format(ms),
  };
}

// utc writes "7 December 2021, 15:04 UTC".
export function utc(ms: number, language: Language): string {
  const text = `${dated(ms, 'UTC', language)} UTC`;
  return language === 'ar' ? isolateTimes(text) : text;
}

// dated writes a day and a time of a zone that stands beside it.
export function dated(ms: number, zone: string, language: Language): string {
  const { date, time } = moment(ms, zone, language);
  return date + comma(language) + time;
}

// zoned writes a day and a time with the offset of the zone, for where the zone's name does not stand beside it: "7 December 2021, 18:04 (UTC+03:00)".
export function zoned(ms: number, zone: string, language: Language): string {
  const { date, time } = moment(ms, zone, language);
  const at = `${time} (${offsetOf(ms, zone)})`;
  return date + comma(language) + (language === 'ar' ? isolateLatin(at) : at);
}

function comma(language: Language): string {
  return language === 'ar' ? '، ' : language === 'zh' ? ' ' : ', ';
}

export function day(ms: number, language: Language): string {
  return moment(ms, 'UTC', language).date;
}

export function offsetOf(ms: number, zone: string): string {
  const part = format('en', { timeZone: known(zone), timeZoneName: 'longOffset' }).formatToParts(ms).find((p) => p.type === 'timeZoneName');
  return (part?.value ?? 'UTC').replace('GMT', 'UTC');
}

const zones = new Map<string, string>();

// A zone that this browser does not know is shown as UTC rather than not at all. To ask costs a millisecond or more, so it is asked once.
function known(zone: string): string {
  let shown = zones.get(zone);
  if (shown === undefined) zones.set(zone, (shown = isKnown(zone) ? zone : 'UTC'));
  return shown;
}

function isKnown(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
