import './ui/trusted-types.ts';
import './ui/style/index.css';
import { mount } from 'svelte';
import App from './ui/App.svelte';
import { startLanguage } from './ui/context.svelte.ts';
import type { Client } from './view/model.ts';

// The client's one entry. Named by a pattern so that the page can be built and looked at before the client is there.
const entries = import.meta.glob<{ startClient(language: string): Client }>('./client/index.ts', { eager: true });

const target = document.getElementById('app');
const entry = Object.values(entries)[0];
if (!target || !entry) throw new Error('the page has no place, or no client');
const language = startLanguage();
mount(App, { target, props: { client: entry.startClient(language), language } });
