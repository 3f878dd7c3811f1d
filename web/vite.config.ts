import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { problemTables, tables } from './src/i18n/all.ts';
import { codesOf, incomplete } from './src/i18n/complete.ts';
import { languages } from './src/i18n/languages.ts';

// The page's own integrity: each script and style sheet in index.html carries its hash, as Integrity-Policy asks.
function integrity(): Plugin {
  return {
    name: 'parley-integrity',
    apply: 'build',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        const page = bundle['index.html'];
        if (page?.type !== 'asset') return;
        page.source = String(page.source).replace(/<(script|link)\b([^>]*?)(src|href)="\/(assets\/[^"]+)"/g, (tag, name, before, attr, file) => {
          const made = bundle[file];
          if (!made) throw new Error(`${file} is named in index.html and was not built`);
          const content = made.type === 'chunk' ? made.code : made.source;
          const hash = createHash('sha384').update(content).digest('base64');
          return `<${name}${before}${attr}="/${file}" integrity="sha384-${hash}"`;
        });
      },
    },
    closeBundle() {
      if (existsSync('dist')) writeFileSync('dist/.keep', '');
    },
  };
}

// A text that is missing in one of the six languages, or a problem code without sentences, fails the build. Each language but English, which
// is in the script, is a file of its own; the script knows its address and its hash (src/i18n/speak.ts).
function words(): Plugin {
  const name = 'virtual:parley-words';
  let building = false;
  return {
    name: 'parley-words',
    configResolved: (config) => void (building = config.command === 'build'),
    buildStart() {
      if (!building) return;
      const faults = incomplete(codesOf(readFileSync('../internal/problem/codes.go', 'utf8')));
      if (faults.length > 0) this.error(`the page's words are not complete:\n${faults.join('\n')}`);
    },
    resolveId: (id) => (id === name ? `\0${name}` : undefined),
    load(id) {
      if (id !== `\0${name}`) return undefined;
      if (!building) return `import { problemTables, tables } from '/src/i18n/all.ts';\nexport const wordsOf = async (l) => ({ words: tables[l], problems: problemTables[l] });`;
      const files: Record<string, [url: string, integrity: string]> = {};
      for (const language of languages) {
        if (language === 'en') continue;
        const source = JSON.stringify({ words: tables[language], problems: problemTables[language] });
        const hash = createHash('sha384').update(source).digest();
        const fileName = `assets/words-${language}-${hash.toString('base64url').slice(0, 8)}.json`;
        this.emitFile({ type: 'asset', fileName, source });
        files[language] = [`/${fileName}`, `sha384-${hash.toString('base64')}`];
      }
      return `const files = ${JSON.stringify(files)};
export async function wordsOf(language) {
  const [url, integrity] = files[language];
  const answer = await fetch(url, { integrity });
  if (!answer.ok) throw new Error('no words');
  return answer.json();
}`;
    },
  };
}

export default defineConfig({
  plugins: [words(), svelte(), integrity()],
  base: '/',
  build: {
    target: ['chrome121', 'firefox128', 'safari17.4'],
    assetsInlineLimit: 0, // a data: URL would need a hole in the Content-Security-Policy
    modulePreload: { polyfill: false },
    sourcemap: false,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 2000,
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  worker: { format: 'es', rolldownOptions: { output: { codeSplitting: false } } }, // one file each: a chunk fetched later would need an integrity of its own
  server: { host: '127.0.0.1', fs: { strict: true } },
  test: {
    include: ['src/**/*.test.ts'],
    environment: 'node',
  },
});
