// The pictures in docs/pictures: which page each one shows, how they are made (`scripts/pictures`), and the test that none is
// older than its page. Beside them, pictures.json keeps for each its route and a digest of what the page is made from.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { settled } from './lib/bars.js';
import { routes } from './lib/demo.js';
import { digest, root } from './lib/sources.js';
import { visits } from './lib/visits.js';

const FOLDER = fileURLToPath(new URL('docs/pictures/', root));
const MANIFEST = `${FOLDER}pictures.json`;
const MOST_BYTES = 1_500_000;

const KEYS = '/accounts/{account}/keys';
const KEY = `${KEYS}/{key_id}`;

// File, route, which of its visits, template, and how it is looked at.
const PICTURES = [
  { file: 'keys.png', route: KEYS, template: 'keys/list.html' },
  { file: 'keys-phone.png', route: KEYS, template: 'keys/list.html', width: 390, height: 844 },
  { file: 'key.png', route: KEY, visit: 'rotating', template: 'keys/show.html' },
  { file: 'key-dark.png', route: KEY, visit: 'rotating', template: 'keys/show.html', theme: 'dark' },
  { file: 'secret.png', route: `${KEY}/first-request`, visit: 'the secret, once', template: 'keys/secret.html', height: 720 },
  { file: 'activity.png', route: `${KEY}/activity`, template: 'keys/activity.html' },
  { file: 'staff-key.png', route: '/staff/keys/{key_id}', visit: 'disabled, as an admin', template: 'staff/keys/show.html' },
];

// Makes them all.
export async function make({ chrome, demo }) {
  const manifest = {};
  for (const { file, route, visit = '', template, theme, width = 1280, height = 860 } of PICTURES) {
    const { as, open } = visits[route].find(one => one.name === visit);
    const person = as === 'developer' ? demo.person(as, demo.keys[0].account) : demo.person(as);
    await chrome.with({ person, theme, width, height, deviceScaleFactor: 1.5 }, async page => {
      await open(page, { chrome, demo });
      await settled(page);
      await page.screenshot({ path: FOLDER + file });
    });
    manifest[file] = { route, visit, sources: digest(template) };
  }
  writeFileSync(MANIFEST, `${JSON.stringify(manifest, null, 2)}\n`);
}

export default function pictures() {
  test('the_pictures_show_their_pages_as_they_are', async () => {
    const made = JSON.parse(readFileSync(MANIFEST, 'utf8'));
    const now = Object.fromEntries(PICTURES.map(({ file, route, visit = '', template }) => [file, { route, visit, sources: digest(template) }]));
    assert.deepEqual(made, now, 'a picture is older than its page. Make them anew: scripts/pictures');
    const files = readdirSync(FOLDER).filter(file => file !== 'pictures.json');
    assert.deepEqual(files.sort(), Object.keys(now).sort(), 'docs/pictures holds these pictures and no other');
    const bytes = files.reduce((sum, file) => sum + statSync(FOLDER + file).size, 0);
    assert.ok(bytes < MOST_BYTES, `${bytes} bytes of pictures`);
    const paths = (await routes()).map(route => route.path);
    assert.deepEqual(PICTURES.filter(({ route }) => !paths.includes(route)), [], 'each shows a page that there is');
  });
}
