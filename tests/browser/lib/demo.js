// A demo of the binary under test, without traffic, on free ports and in a temporary folder. Knows no browser.

import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { soon } from './soon.js';

const run = promisify(execFile);

// None of this process's own variables that begin as the program's settings do.
const env = { PATH: process.env.PATH };

// Below the ports that the kernel gives to outgoing connections, so that nobody takes one between asking and using it.
let nextPort = 20_000 + (process.pid % 100) * 40;

export async function freePort() {
  for (;;) {
    const port = nextPort++;
    const free = await new Promise(resolve => {
      const server = createServer();
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
}

export function binary() {
  const named = process.env.LATCHKEY_BIN;
  if (!named) throw new Error('LATCHKEY_BIN names no binary to test. scripts/test sets it.');
  return named;
}

// The portal's routes as the program itself lists them.
export async function routes() {
  const { stdout } = await run(binary(), ['dev', 'routes'], { env });
  return stdout.trim().split('\n').map(line => {
    const [method, path, who] = line.split(' ');
    return { method, path, who };
  });
}

export class Demo {
  static async start() {
    const folder = await mkdtemp(join(tmpdir(), 'latchkey-browser-'));
    const data = join(folder, 'data');
    const [portal, gate] = [await freePort(), await freePort()].map(port => `127.0.0.1:${port}`);
    const words = ['demo', '--json', '--no-traffic', '--data', data, '--portal', portal, '--gate', gate];
    const child = spawn(binary(), words, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let [printed, logged] = ['', ''];
    child.stdout.on('data', text => { printed += text; });
    child.stderr.on('data', text => { logged += text; });
    const line = await soon('the demo prints its line', () => {
      if (child.exitCode !== null) throw new Error(`the demo ended: ${logged}`);
      return printed.split('\n').slice(0, -1).find(text => text.startsWith('{'));
    }, 60_000);
    return new Demo(child, folder, data, JSON.parse(line));
  }

  constructor(child, folder, data, facts) {
    Object.assign(this, { child, folder, data, ...facts });
  }

  // Somebody with this role, in this account when one is named.
  person(role, account) {
    const found = this.people.find(one => one.role === role && (!account || one.account === account));
    if (!found) throw new Error(`the demo has no ${role} of ${account ?? 'anything'}`);
    return found;
  }

  // A key of the first account in this state.
  key(state) {
    const account = this.keys[0].account;
    const found = this.keys.find(key => key.account === account && key.state === state);
    if (!found) throw new Error(`${account} has no key that is ${state}`);
    return found;
  }

  // What the gate says of a key's secret at one of its products.
  async code(key) {
    const answer = await fetch(`${this.gate}/v1/verify`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ secret: key.secret, product: key.products[0] }),
    });
    return (await answer.json()).code;
  }

  // A link with which a new person chooses a password.
  async passwordLink(email) {
    const config = join(this.folder, 'operator.toml');
    await writeFile(config, `public_url = "${this.portal}"\ndata_dir = "${this.data}"\n`);
    const words = ['admin', 'create-user', '--config', config, '--name', 'Lena Link', '--email', email];
    const { stdout } = await run(binary(), words, { env });
    return stdout.split(/\s/).find(word => word.startsWith('http'));
  }

  async stop() {
    const ended = new Promise(resolve => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    await ended;
    await rm(this.folder, { recursive: true, force: true });
  }
}
