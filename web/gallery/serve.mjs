// Builds the gallery as the product is built and serves it under the product's own headers, so that what the
// Content-Security-Policy or Trusted Types would refuse is refused here too.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

export const policy = [
  "default-src 'none'", "script-src 'self'", "style-src 'self'", "font-src 'self'", "img-src 'self'", "media-src 'self' blob: mediastream:",
  "connect-src 'self'", "worker-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
  "require-trusted-types-for 'script'", 'trusted-types default svelte-trusted-html',
].join('; ');

const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.woff2': 'font/woff2', '.svg': 'image/svg+xml' };

export async function serveGallery() {
  const web = fileURLToPath(new URL('..', import.meta.url));
  const out = await mkdtemp(join(tmpdir(), 'parley-gallery-'));
  process.chdir(web);
  await build({ root: web, logLevel: 'warn', build: { outDir: out, emptyOutDir: true, rollupOptions: { input: join(web, 'gallery/index.html') } } });
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://x').pathname);
    try {
      const body = await readFile(join(out, path === '/' ? 'gallery/index.html' : path));
      response.writeHead(200, { 'content-type': types[extname(path)] ?? 'text/html; charset=utf-8', 'content-security-policy': policy });
      response.end(body);
    } catch {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('not found');
    }
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address();
  return {
    url: (screen, language) => `http://127.0.0.1:${port}/gallery/index.html?screen=${screen}&language=${language}`,
    async close() {
      await new Promise((closed) => server.close(closed));
      await rm(out, { recursive: true, force: true });
    },
  };
}

export const browserArgs = ['--no-sandbox', '--headless=new', '--disable-background-networking', '--autoplay-policy=no-user-gesture-required', '--mute-audio'];
