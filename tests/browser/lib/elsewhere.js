// Somebody else's pages: of another site (`localhost`), and of the portal's own site at another port (`127.0.0.1`). Notes
// whatever is fetched from there.

import { createServer } from 'node:http';
import { freePort } from './demo.js';

const quoted = text => String(text).replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');

function page({ searchParams: asked, pathname }) {
  if (pathname === '/framing') return `<!doctype html><iframe src="${quoted(asked.get('address'))}"></iframe>`;
  const fields = Object.entries(JSON.parse(asked.get('fields')))
    .map(([name, value]) => `<input type="hidden" name="${quoted(name)}" value="${quoted(value)}">`);
  return `<!doctype html><form method="post" action="${quoted(asked.get('target'))}">${fields.join('')}</form>
    <script>document.forms[0].submit()</script>`;
}

export class Elsewhere {
  static async start() {
    const port = await freePort();
    const elsewhere = new Elsewhere(port);
    await new Promise(ready => elsewhere.server.listen(port, '127.0.0.1', ready));
    return elsewhere;
  }

  constructor(port) {
    this.sites = [`http://127.0.0.1:${port}`, `http://localhost:${port}`];
    this.asked = [];
    this.server = createServer((request, response) => {
      const url = new URL(request.url, this.sites[0]);
      const ours = ['/posting', '/framing'].includes(url.pathname);
      if (!ours && url.pathname !== '/favicon.ico') this.asked.push(url.pathname);
      response.writeHead(ours ? 200 : 204, { 'Content-Type': 'text/html; charset=utf-8' });
      response.end(ours ? page(url) : undefined);
    });
  }

  // A page that sends a form there as soon as it is opened.
  posting(site, target, fields) {
    return `${site}/posting?${new URLSearchParams({ target, fields: JSON.stringify(fields) })}`;
  }

  // A page that shows that address in a frame.
  framing(site, address) {
    return `${site}/framing?${new URLSearchParams({ address })}`;
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise(done => this.server.close(done));
  }
}
