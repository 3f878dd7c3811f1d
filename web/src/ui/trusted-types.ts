// With require-trusted-types-for 'script', the address of a worker must come from a policy. The default policy takes nothing but
// this origin's own hashed files; Svelte brings a policy of its own for its compiled markup ("svelte-trusted-html"), and the
// Content-Security-Policy names these two.

interface PolicyFactory {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): unknown;
}

export function allowed(url: string, base: string): boolean {
  const asked = new URL(url, base);
  return asked.origin === new URL(base).origin && asked.pathname.startsWith('/assets/');
}

const factory = (globalThis as { trustedTypes?: PolicyFactory }).trustedTypes;
if (factory && import.meta.env.PROD) {
  factory.createPolicy('default', {
    createScriptURL(url) {
      if (!allowed(url, location.origin)) throw new TypeError('a script from elsewhere');
      return url;
    },
  });
}
