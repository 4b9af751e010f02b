// An installation that sends mail, on free ports and in a temporary folder, and the mail server that it sends to. Knows no page.

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { binary, freePort } from './demo.js';
import { soon } from './soon.js';

const PRODUCT = `
[[product]]
slug = "search"
name = "Search API"
routes = [{ host = "api.example.com", path = "/search" }]
`;

export class Mailing {
  static async start() {
    const folder = await mkdtemp(join(tmpdir(), 'latchkey-mailing-'));
    await writeFile(join(folder, 'latchkey.toml'), PRODUCT);
    const [portal, gate, mail] = [await freePort(), await freePort(), await freePort()];
    const mailing = new Mailing(folder, `http://127.0.0.1:${portal}`);
    await mailing.#open(mail);
    const env = {
      PATH: process.env.PATH,
      LATCHKEY_PORTAL__LISTEN: `127.0.0.1:${portal}`,
      LATCHKEY_GATE__LISTEN: `127.0.0.1:${gate}`,
      LATCHKEY_MAIL__SMTP_URL: `smtp://127.0.0.1:${mail}`,
      LATCHKEY_MAIL__FROM: 'Acme Maps <keys@acme.example>',
    };
    mailing.child = spawn(binary(), ['serve'], { cwd: folder, env, stdio: 'ignore' });
    await soon('the portal answers', () => fetch(`${mailing.portal}/sign-in`).then(answer => answer.ok, () => false));
    return mailing;
  }

  constructor(folder, portal) {
    Object.assign(this, { folder, portal, mails: [] });
  }

  async #open(port) {
    this.office = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onData: (stream, session, done) => {
        simpleParser(stream).then(mail => { this.mails.push(mail); }).then(() => done(), done);
      },
    });
    await new Promise(resolve => this.office.listen(port, '127.0.0.1', resolve));
  }

  // The next mail to this address; each is handed out once.
  async mail(to) {
    return soon(`a mail to ${to}`, () => {
      const at = this.mails.findIndex(mail => mail.to.value[0].address === to);
      return at >= 0 && this.mails.splice(at, 1)[0];
    });
  }

  async stop() {
    const ended = new Promise(resolve => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    await ended;
    await new Promise(resolve => this.office.close(resolve));
    await rm(this.folder, { recursive: true, force: true });
  }
}

// The address that the button of a mail leads to.
export function button(mail) {
  const [, href] = /<a href="([^"]+)"/.exec(mail.html);
  return href.replaceAll('&amp;', '&');
}
