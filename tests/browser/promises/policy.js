// T-53: the headers reach the browser, and it does what they say: nothing injected runs, nothing is fetched from elsewhere, no
// page is framed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Elsewhere } from '../lib/elsewhere.js';
import { soon } from '../lib/soon.js';
import { filled, visits } from '../lib/visits.js';

const HEADERS = {
  'content-security-policy': "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=()',
};

const STOPPED_BY = [
  'script-src-elem', 'script-src-attr', 'style-src-elem', 'style-src-attr', 'img-src', 'connect-src', 'frame-src', 'object-src',
  'base-uri', 'form-action',
];

export default function policy(world) {
  test('t_53_every_page_reaches_the_browser_with_its_headers', () => headers(world));
  test('t_53_nothing_injected_runs_or_is_fetched', () => withElsewhere(world, injected));
  test('t_53_no_page_is_framed', () => withElsewhere(world, framed));
}

// Every route and an address that leads nowhere, as nobody, as a member and as staff: pages, refusals and errors.
async function headers({ chrome, demo }) {
  const paths = [...Object.keys(visits).filter(path => !path.endsWith('.csv')), '/nothing/here'];
  const key = demo.key('active');
  for (const person of [undefined, demo.person('developer', key.account), demo.person('admin')]) {
    await chrome.with({ person, expectsTrouble: true }, async page => {
      for (const path of paths) {
        const answer = await page.goto(filled(path, key));
        const sent = await answer.allHeaders();
        for (const [name, value] of Object.entries(HEADERS)) assert.equal(sent[name], value, `${name} of ${path}`);
        assert.ok(!('server' in sent), `${path} names its server`);
        if (person) assert.equal(sent['cache-control'], 'no-store', path);
      }
    });
  }
}

async function withElsewhere({ chrome, demo }, attack) {
  const elsewhere = await Elsewhere.start();
  try {
    const person = demo.person('developer', 'kestrel-logistics');
    await chrome.with({ person, expectsTrouble: true }, page => attack(page, elsewhere, demo));
  } finally {
    await elsewhere.stop();
  }
}

async function injected(page, elsewhere) {
  await page.goto('/preferences');
  await page.evaluate(inject, elsewhere.sites[1]);
  const blocked = () => page.evaluate(() => window.watched.blocked.map(what => what.split(' ')[0]));
  for (const directive of STOPPED_BY) {
    await soon(`${directive} stops something`, async () => (await blocked()).includes(directive));
  }
  assert.equal(await page.evaluate(() => window.ran), undefined, 'something ran');
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).outlineStyle), 'none', 'a style was applied');
  assert.deepEqual(elsewhere.asked, [], 'something was fetched');
}

// Runs in the page: what a hole in the escaping would let somebody try.
async function inject(elsewhere) {
  const add = (name, attributes, text = '') => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.textContent = text;
    document.body.append(element);
    return element;
  };
  add('script', {}, 'window.ran = "inline"');
  add('script', { src: `${elsewhere}/script.js` });
  add('style', {}, 'body { outline: 9px solid red }');
  add('link', { rel: 'stylesheet', href: `${elsewhere}/style.css` });
  add('img', { src: `${elsewhere}/image.png` });
  add('iframe', { src: `${elsewhere}/frame` });
  add('object', { data: `${elsewhere}/object` });
  add('base', { href: elsewhere });
  document.body.setAttribute('style', 'outline: 9px solid red');
  add('button', { onclick: 'window.ran = "handler"' }).click();
  add('a', { href: 'javascript:window.ran="address"' }).click();
  await fetch(`${elsewhere}/fetch`).catch(() => {});
  add('form', { method: 'post', action: `${elsewhere}/form` }).submit();
}

async function framed(page, elsewhere, demo) {
  for (const site of elsewhere.sites) {
    await page.goto(elsewhere.framing(site, `${demo.portal}/preferences`));
    const inner = page.frames()[1];
    await inner.waitForLoadState();
    assert.ok(!inner.url().startsWith(demo.portal), `framed by ${site}`);
    assert.equal(await inner.locator('h1').filter({ hasText: 'Preferences' }).count(), 0);
  }
}
