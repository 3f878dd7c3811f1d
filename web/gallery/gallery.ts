// Every screen, from fixtures: gallery/index.html?screen=room-stage&language=ar. Never part of the production bundle.
import '../src/ui/style/index.css';
import { mount } from 'svelte';
import '../src/i18n/all.ts';
import { chooseLanguage, languages } from '../src/i18n/languages.ts';
import App from '../src/ui/App.svelte';
import { stopAt } from '../src/ui/now.svelte.ts';
import type { Actions, Client } from '../src/view/model.ts';
import { now } from './fixtures/people.ts';
import { gallery } from './fixtures/views.ts';

const asked = new URLSearchParams(location.search);
const name = asked.get('screen');
const target = document.getElementById('app');
const shown = name ? gallery[name] : undefined;

if (target && shown) {
  stopAt(now);
  location.hash = shown.route ? `#/${shown.route}` : '';
  // Each action answers as a node that refuses would: the refusal, too, must be fit to be seen.
  const actions = new Proxy({} as Actions, { get: () => () => Promise.resolve({ ok: false, problem: { code: 'node-unreachable' } }) });
  const client: Client = { actions, ready: Promise.resolve(), current: () => shown.view, subscribe: () => () => {} };
  mount(App, { target, props: { client, language: chooseLanguage([asked.get('language')]) } });
  const press = shown.press;
  if (press) setTimeout(() => document.querySelector<HTMLElement>(press)?.click(), 50);
} else if (target) {
  for (const screen of Object.keys(gallery)) {
    const line = document.createElement('p');
    line.append(`${screen} `);
    for (const language of languages) {
      const link = document.createElement('a');
      link.href = `?screen=${screen}&language=${language}`;
      link.textContent = ` ${language} `;
      line.append(link);
    }
    target.append(line);
  }
}
