// Written by vite.config.ts: where each language's file is, and its hash.
declare module 'virtual:parley-words' {
  export function wordsOf(language: string): Promise<{ readonly words: unknown; readonly problems: unknown }>;
}
