import { pick } from '../i18n/text.ts';
import type { Language } from '../i18n/languages.ts';
import type { Translate } from '../i18n/translate.ts';
import type { Phase } from '../view/model.ts';

// whyStill says in one sentence why a session stands still, and by whom where that is known.
export function whyStill(phase: Extract<Phase, { kind: 'suspended' }>, t: Translate, language: Language): string {
  const { reason, of } = phase;
  return of !== null && (reason === 'officer' || reason === 'link-lost') ? t(`suspended.${reason}-of`, { side: pick(of.name, language).text }) : t(`suspended.${reason}`);
}
