// No Trusted Types policy is made here: the node's Content-Security-Policy (internal/web/headers.go) names two and refuses any other,
// and createPolicy('default') would end the page. client/early.ts makes the one for the workers.
import { early } from './client/early.ts'; // before all others
import './ui/style/index.css';
import { mount } from 'svelte';
import { startClient } from './client/index.ts';
import { speak } from './i18n/speak.ts';
import App from './ui/App.svelte';
import { startLanguage } from './ui/context.svelte.ts';

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no place for the page');
const language = startLanguage();
const spoken = speak(language);
const client = startClient(language, early);
const show = () => mount(App, { target, props: { client, language } });
// What was asked for answers first, and what those answers bring is what is drawn.
void client.ready.then(() => spoken).then(show, show);
