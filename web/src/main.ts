import './ui/trusted-types.ts';
import './ui/style/index.css';
import { mount } from 'svelte';
import { startClient } from './client/index.ts';
import App from './ui/App.svelte';
import { startLanguage } from './ui/context.svelte.ts';

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no place for the page');
const language = startLanguage();
mount(App, { target, props: { client: startClient(language), language } });
