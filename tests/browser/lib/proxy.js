// The documented nginx in front of the demo's gate, with a stand-in for the API behind it that answers everything with a small
// picture and remembers what reached it. Knows no browser.

import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile, chmod } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './demo.js';
import { soon } from './soon.js';

const RECIPE = new URL('../../../docs/proxies/nginx/', import.meta.url);
const FILES = ['nginx.conf', 'latchkey-http.conf', 'latchkey-server.conf', 'latchkey-location.conf'];
const NGINX = process.env.NGINX ?? '/usr/sbin/nginx';

// One dot.
const PICTURE = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');

export class Proxy {
  static async start(gate) {
    const proxy = new Proxy();
    await proxy.#begin(gate);
    return proxy;
  }

  async #begin(gate) {
    [this.port, this.apiPort] = [await freePort(), await freePort()];
    this.reached = [];
    this.api = createServer((request, response) => {
      this.reached.push({ method: request.method, url: request.url, headers: request.headers });
      response.writeHead(200, { 'Content-Type': 'image/gif' });
      response.end(PICTURE);
    });
    await new Promise(ready => this.api.listen(this.apiPort, '127.0.0.1', ready));
    this.folder = await mkdtemp(join(tmpdir(), 'latchkey-nginx-'));
    // nginx's workers are another user when it is started by root.
    await chmod(this.folder, 0o755);
    await mkdir(join(this.folder, 'log'));
    for (const name of FILES) await writeFile(join(this.folder, name), await this.#configured(name, gate));
    const words = ['-p', this.folder, '-c', join(this.folder, 'nginx.conf'), '-g', 'daemon off;'];
    this.child = spawn(NGINX, words, { stdio: 'ignore' });
    await soon('nginx answers', async () => {
      if (this.child.exitCode !== null) throw new Error(`nginx ended with ${this.child.exitCode}`);
      return fetch(`http://127.0.0.1:${this.port}/`).then(() => true, () => false);
    });
  }

  // The documented text with addresses and folders of this test's, and nothing else.
  async #configured(name, gate) {
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(kind => `${kind}_temp_path ${this.folder}/${kind};`);
    const ours = {
      'nginx.conf': {
        '127.0.0.1:8082': `127.0.0.1:${this.apiPort}`,
        'listen 80;': `listen 127.0.0.1:${this.port};`,
        '/run/nginx.pid': `${this.folder}/nginx.pid`,
        '/var/log/nginx/': `${this.folder}/log/`,
        'http {\n': `http {\n${temporary.join('\n')}\n`,
      },
      'latchkey-http.conf': { '127.0.0.1:8081': gate.replace('http://', '') },
    }[name] ?? {};
    let text = await readFile(new URL(name, RECIPE), 'utf8');
    for (const [documented, own] of Object.entries(ours)) {
      if (!text.includes(documented)) throw new Error(`${name} does not say ${documented}`);
      text = text.replaceAll(documented, own);
    }
    return text;
  }

  async stop() {
    const ended = new Promise(resolve => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    await ended;
    this.api.closeAllConnections();
    await new Promise(done => this.api.close(done));
    await rm(this.folder, { recursive: true, force: true });
  }
}
