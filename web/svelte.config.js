import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';

/** @type {import('@sveltejs/vite-plugin-svelte').SvelteConfig} */
export default {
  preprocess: vitePreprocess({ script: true }),
  compilerOptions: { runes: true },
  // An accessibility fault is an error, as every other warning is.
  onwarn(warning) {
    throw new Error(`${warning.filename}:${warning.start?.line} ${warning.code}: ${warning.message}`);
  },
};
