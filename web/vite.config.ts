import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { codesOf, incomplete } from './src/i18n/complete.ts';

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

// A text that is missing in one of the six languages, or a problem code without sentences, fails the build.
function words(): Plugin {
  return {
    name: 'parley-words',
    apply: 'build',
    buildStart() {
      const faults = incomplete(codesOf(readFileSync('../internal/problem/codes.go', 'utf8')));
      if (faults.length > 0) this.error(`the page's words are not complete:\n${faults.join('\n')}`);
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
