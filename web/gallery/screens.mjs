import { readFile } from 'node:fs/promises';

// screens gives the names in the gallery without running it: the keys of the one table in fixtures/views.ts.
export async function screens() {
  const source = await readFile(new URL('./fixtures/views.ts', import.meta.url), 'utf8');
  return [...source.matchAll(/^ {2}'([a-z-]+)': \{ view/gm)].map((match) => match[1]);
}
