// T-55: whatever is typed stays text, where it is shown at once and where it is shown later.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filled, visits } from '../lib/visits.js';

// Ways out of a text, of an attribute in either quotes, of elements whose content is read differently. With 80 characters at
// most, so that they are kept as names.
const HOSTILE = [
  `'"><x-planted><img src=x onerror=ran=1></title></textarea></script></style>`,
  `" autofocus onfocus="ran=2" data-planted="' onfocus='ran=3' data-planted='`,
];

const ACCOUNT = 'hollis-cycling';
const FORM = 'main form:has(input:not([type=hidden],[type=checkbox],[type=radio]), textarea)';

export default function hostileText(world) {
  test('t_55_hostile_text_in_any_field_adds_no_element', async () => {
    const keys = world.demo.keys.filter(key => key.account === ACCOUNT && key.state === 'active');
    const forms = await formsWithText(world, keys[0]);
    await Promise.all(HOSTILE.map(async (text, number) => {
      await everyField(world, forms, text, keys[number], number);
      await whereItIsShown(world, text, keys[number], number);
    }));
  });
}

const staff = ({ demo }) => demo.person('admin');
const mail = number => `mallory${number}@hostile.example`;
const PASSWORD = 'a pass phrase of mallory';

function roleAt(path) {
  if (path.startsWith('/staff')) return 'staff';
  return path.startsWith('/accounts') ? 'member' : 'nobody';
}

function visitor(world, role) {
  return { nobody: undefined, member: world.demo.person('developer', ACCOUNT), staff: staff(world) }[role];
}

// Every form with a text field that any route has, as path and number on its page: there is no list to forget one in.
async function formsWithText(world, key) {
  const forms = [];
  for (const role of ['nobody', 'member', 'staff']) {
    const paths = Object.keys(visits).filter(path => roleAt(path) === role && !path.endsWith('.csv'));
    await world.chrome.with({ person: visitor(world, role), expectsTrouble: true }, async page => {
      for (const path of paths) {
        await page.goto(filled(path, key));
        const count = await page.locator(FORM).count();
        for (let at = 0; at < count; at++) forms.push({ path, at });
      }
    });
  }
  assert.ok(forms.length >= 7, `${forms.length} forms with text fields`);
  return forms;
}

async function everyField(world, forms, text, key, number) {
  for (const { path, at } of forms) {
    await world.chrome.with({ person: visitor(world, roleAt(path)), expectsTrouble: true }, async page => {
      await page.goto(filled(path, key));
      const form = page.locator(FORM).nth(at);
      const refuses = await form.locator('[name=domains]').count() > 0;
      await send(page, form, text, number);
      assert.deepEqual(await page.evaluate(planted), [], `${path}: ${text}`);
      // What no entry of a list can be kept the rest from being taken.
      if (!refuses) return;
      await page.goto(filled(path, key));
      await send(page, form, text, number, ['domains', 'ips', 'labels']);
      assert.deepEqual(await page.evaluate(planted), [], `${path}: ${text}`);
    });
  }
}

async function send(page, form, text, number, without = []) {
  const closed = form.locator('details:not([open]) > summary');
  while (await closed.count() > 0) await closed.first().click();
  for (const field of await form.locator('input:not([type=hidden],[type=checkbox],[type=radio]), textarea').all()) {
    if (without.includes(await field.getAttribute('name'))) continue;
    const typed = { email: mail(number), password: PASSWORD, date: '2090-01-31', 'datetime-local': '2090-01-31T10:00' }[await field.getAttribute('type')];
    await field.fill(typed ?? text);
  }
  for (const box of await form.getByRole('checkbox').all()) await box.check();
  const [answer] = await Promise.all([
    page.waitForResponse(response => response.request().isNavigationRequest()),
    page.waitForEvent('load'),
    form.locator('button:not(.vh, [name=fix])').first().click(),
  ]);
  assert.ok(answer.status() < 429, `${answer.url()} answered ${answer.status()}`);
}

// The pages that show what was kept: names in lists, titles, crumbs and menus, a reason on the owner's and on staff's page.
async function whereItIsShown(world, text, key, number) {
  const shows = async (page, path) => {
    await page.goto(path);
    assert.ok((await page.locator('body').innerText()).includes(text), `${path} shows ${text}`);
    assert.deepEqual(await page.evaluate(planted), [], `${path}: ${text}`);
  };
  const keysPage = `/accounts/${ACCOUNT}/keys`;
  await world.chrome.with({ person: world.demo.person('developer', ACCOUNT) }, async page => {
    await shows(page, `${keysPage}/${key.key_id}`);
    await shows(page, keysPage);
    const named = await page.getByRole('link', { name: text, exact: true }).getAttribute('href');
    for (const path of [named, `${named}/activity`, `${named}/delete`]) await shows(page, path);
  });
  await world.chrome.with({ person: staff(world) }, page => shows(page, `/staff/keys/${key.key_id}`));
  await world.chrome.with({ person: { email: mail(number), password: PASSWORD } }, async page => {
    await page.goto('/');
    assert.ok((await page.locator('.top').innerText()).includes(text), 'the company stands in the bar');
    assert.deepEqual(await page.evaluate(planted), [], text);
  });
}

// Runs in the page: what got out of its text.
function planted() {
  const found = [...document.querySelectorAll('x-planted, [data-planted], [onerror], [onload], [onfocus], [onmouseover], img[src=x]')];
  return [...found.map(element => element.outerHTML), ...window.ran ? [`it ran: ${window.ran}`] : []];
}
