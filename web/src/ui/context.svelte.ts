import { getContext, setContext } from 'svelte';
import { chooseLanguage, directionOf, type Language } from '../i18n/languages.ts';
import { problemText, type Sentences } from '../i18n/problem-text.ts';
import { speak } from '../i18n/speak.ts';
import { translator, type Translate } from '../i18n/translate.ts';
import type { Actions, Client, Problem, View } from '../view/model.ts';

const remembered = 'parley.language';

// Ui is what every component reaches for: the view that is on the screen, the person's language, and what they can do.
export class Ui {
  view: View = $state.raw() as View;
  language: Language = $state('en');
  route: string = $state('');
  readonly actions: Actions;
  readonly t: Translate = $derived(translator(this.language));
  readonly direction = $derived(directionOf(this.language));

  constructor(client: Client, language: Language) {
    this.view = client.current();
    this.actions = client.actions;
    this.language = language;
  }

  problem(problem: Problem): Sentences {
    return problemText(problem, this.language);
  }

  choose(language: Language): void {
    const before = this.language;
    void speak(language).then(
      () => (this.language = language),
      () => (this.language = before), // its file cannot be had: the choice shows what is read
    );
    try {
      localStorage.setItem(remembered, language);
    } catch {
      // A browser that keeps nothing still speaks the language until it is closed.
    }
  }
}

export function startLanguage(): Language {
  let kept: string | null = null;
  try {
    kept = localStorage.getItem(remembered);
  } catch {
    kept = null;
  }
  return chooseLanguage([kept, ...navigator.languages]);
}

const key = Symbol('ui');
export const provideUi = (ui: Ui): Ui => setContext(key, ui);
export const useUi = (): Ui => getContext<Ui>(key);
