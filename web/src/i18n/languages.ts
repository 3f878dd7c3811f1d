// The six official languages of the United Nations. A person chooses their own, whatever the side's.
export const languages = ['en', 'ar', 'fr', 'ru', 'zh', 'es'] as const;
export type Language = (typeof languages)[number];

// Each language's own name for itself.
export const endonym: Record<Language, string> = {
  en: 'English', ar: 'العربية', fr: 'Français', ru: 'Русский', zh: '中文', es: 'Español',
};

export function directionOf(language: string): 'ltr' | 'rtl' {
  return /^(ar|he|fa|ur|ps|ckb|dv|sd|ug|yi)\b/i.test(language) ? 'rtl' : 'ltr';
}

// chooseLanguage takes the first of the wishes (BCP 47, best first) that Parley speaks.
export function chooseLanguage(wishes: readonly (string | null | undefined)[]): Language {
  for (const wish of wishes) {
    const base = wish?.toLowerCase().split('-')[0];
    const found = languages.find((language) => language === base);
    if (found) return found;
  }
  return 'en';
}

// Digits are 0-9 in every language: epochs, times and fingerprints are read aloud from one side to the other.
export function numberLocale(language: Language): string {
  return `${language}-u-nu-latn`;
}
