// Builds the gallery as the product is built and serves it under the product's own headers, so that what the
// Content-Security-Policy or Trusted Types would refuse is refused here too.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

// The node's own words, read from where the node keeps them.
const headers = await readFile(new URL('../../internal/web/headers.go', import.meta.url), 'utf8');
const listed = headers.match(/var policy = strings\.Join\(\[\]string\{([\s\S]*?)\n\}, /)?.[1] ?? '';
export const policy = [...listed.matchAll(/^\s*"([^"]+)",$/gm)].map((line) => line[1]).join('; ');
if (!policy.includes('require-trusted-types-for')) throw new Error('internal/web/headers.go no longer lists the policy as it did');

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
