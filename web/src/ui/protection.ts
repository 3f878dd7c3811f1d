import type { Language } from '../i18n/languages.ts';
import { pick } from '../i18n/text.ts';
import { moment } from '../i18n/time.ts';
import type { Translate } from '../i18n/translate.ts';
import type { Protection } from '../view/model.ts';

// The protection state in words. The level chooses the shape; the words never depend on it alone.
export interface ProtectionText {
  readonly level: 'sealed' | 'partly' | 'turning' | 'waiting' | 'alarm';
  readonly title: string;
  readonly detail: string;
}

export function protectionText(protection: Protection, t: Translate, language: Language): ProtectionText {
  switch (protection.kind) {
    case 'waiting':
      return { level: 'waiting', title: t('protection.waiting'), detail: t('protection.waiting-text') };
    case 'sealing':
      return { level: 'turning', title: t('protection.sealing'), detail: t('protection.sealing-text', { epoch: protection.epoch }) };
    case 'unsigned': {
      const time = `${moment(protection.since, 'UTC', language).time} UTC`;
      return { level: 'partly', title: t('protection.unsigned'), detail: t('protection.unsigned-text', { side: pick(protection.side.name, language).text, time }) };
    }
    case 'alarm':
      return { level: 'alarm', title: t('protection.alarm'), detail: t('protection.alarm-text') };
    case 'sealed': {
      const all = protection.confirmed >= protection.members;
      const confirmed = all ? t('protection.all', { n: protection.members }) : t('protection.some', { confirmed: protection.confirmed, members: protection.members });
      return {
        level: all ? 'sealed' : 'partly',
        title: t(all ? 'protection.sealed' : 'protection.unconfirmed'),
        detail: t('protection.detail', { suite: suiteName(protection.suite), epoch: protection.epoch, confirmed }),
      };
    }
  }
}

// MLS_256_XWING_AES256GCM_SHA512_Ed25519 is called X-Wing by people; an unknown suite keeps its whole name.
function suiteName(suite: string): string {
  return /XWING|X-Wing/i.test(suite) ? 'X-Wing' : suite;
}

