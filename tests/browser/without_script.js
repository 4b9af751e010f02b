// Eight walks with scripts switched off in the browser: whatever the portal offers can be done with links and forms alone.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { soon } from './lib/soon.js';

export default function withoutScript(world) {
  const walk = (name, role, steps) => test(name, async () => {
    const person = role && world.demo.person(role, role === 'developer' ? 'tessera-freight' : undefined);
    await world.chrome.with({ person, javaScriptEnabled: false }, page => steps(page, world.demo));
  });

  describe('without scripts', { concurrency: 4 }, () => {
    walk('a_developer_signs_in_and_out', undefined, signInAndOut);
    walk('somebody_signs_up', undefined, signUp);
    walk('a_developer_creates_a_key_and_hears_of_its_first_request', 'developer', createKey);
    walk('a_developer_deletes_a_key_by_its_typed_name', 'developer', deleteKey);
    walk('a_developer_filters_the_keys', 'developer', filterKeys);
    walk('anybody_chooses_dark_colours', undefined, chooseTheme);
    walk('support_looks_a_key_up', 'support', lookUp);
    walk('an_admin_disables_and_enables_a_key', 'admin', disableAndEnable);
  });
}

const press = (page, name) => page.getByRole('button', { name, exact: true }).click();
const heading = (page, name) => page.getByRole('heading', { level: 1, name }).waitFor();
const ofTessera = (demo, n) => demo.keys.filter(key => key.account === 'tessera-freight' && key.state === 'active')[n];

async function signInAndOut(page, demo) {
  const { email, password, account } = demo.person('developer', 'tessera-freight');
  await page.goto(`/accounts/${account}/keys`);
  await page.getByLabel('Mail address').fill(email);
  await page.getByLabel('Password').fill(password);
  await press(page, 'Sign in');
  await heading(page, 'Keys');
  await page.locator('summary', { hasText: 'your menu' }).click();
  await press(page, 'Sign out');
  await page.goto(`/accounts/${account}/keys`);
  await heading(page, 'Sign in');
}

async function signUp(page) {
  await page.goto('/sign-up');
  await press(page, 'Create account');
  assert.equal(await page.locator('[aria-invalid=true]').count(), 4, 'every field says what is wrong with it');
  const typed = { Name: 'Nils Noscript', Company: 'No Script', 'Mail address': 'nils@noscript.example', Password: 'not a script in sight' };
  for (const [label, text] of Object.entries(typed)) await page.getByLabel(label, { exact: true }).fill(text);
  await press(page, 'Create account');
  await page.getByText('its account is ready').waitFor();
}

async function createKey(page, demo) {
  await page.goto('/accounts/tessera-freight/keys/new');
  await page.getByLabel('Name').fill('Made by a form');
  const product = page.getByRole('checkbox').first();
  await product.check();
  const products = [await product.getAttribute('value')];
  await press(page, 'Create key');
  await heading(page, 'Copy your secret now');
  const secret = await page.locator('#secret').innerText();
  assert.equal(await page.getByRole('button', { name: /^Copy/ }).count(), 0, 'nothing is offered that only a script can do');
  await page.locator('label', { hasText: 'Python' }).click();
  assert.ok(await page.locator('#line-py').isVisible(), 'the other languages are there');
  assert.equal(await demo.code({ secret, products }), 'VALID');
  await page.getByRole('link', { name: 'I saved it, go to the key' }).click();
  await heading(page, 'Made by a form');
  await soon('the request is counted', async () => {
    await page.reload();
    return (await page.locator('#today-total').innerText()) === '1';
  });
}

async function deleteKey(page, demo) {
  const key = ofTessera(demo, 1);
  await page.goto(`/accounts/tessera-freight/keys/${key.key_id}`);
  const name = await page.getByRole('heading', { level: 1 }).innerText();
  await page.getByRole('link', { name: 'Delete…' }).click();
  await page.getByLabel(/^Type/).fill('Another name');
  await press(page, 'Delete key');
  await page.getByText('That is not the key').first().waitFor();
  assert.equal(await demo.code(key), 'VALID');
  await page.getByLabel(/^Type/).fill(name);
  await press(page, 'Delete key');
  await page.getByText(`${name} is deleted`).waitFor();
  await soon('the gate knows it no more', async () => (await demo.code(key)) === 'KEY_NOT_FOUND');
}

async function filterKeys(page) {
  await page.goto('/accounts/tessera-freight/keys');
  const rows = page.locator('#keys tbody tr');
  const all = await rows.count();
  await page.getByLabel('Environment').selectOption('staging');
  await press(page, 'Filter');
  const left = await rows.count();
  assert.ok(left > 0 && left < all, `${left} of ${all}`);
  assert.equal(await page.locator('#keys .env.staging').count(), left);
}

async function chooseTheme(page) {
  const ground = () => page.locator('html').evaluate(html => getComputedStyle(html).backgroundColor);
  await page.goto('/docs/words');
  const light = await ground();
  await press(page, 'Dark');
  assert.equal(new URL(page.url()).pathname, '/docs/words', 'the choice leads back');
  assert.notEqual(await ground(), light);
  await page.goto('/sign-in');
  assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark', 'it stays');
  await press(page, 'Auto');
  assert.equal(await ground(), light);
}

async function lookUp(page, demo) {
  const key = ofTessera(demo, 0);
  await page.goto('/staff');
  await page.getByLabel('Key ID or secret').fill(key.secret);
  await press(page, 'Look up');
  assert.ok(page.url().endsWith(`/staff/keys/${key.key_id}`), page.url());
  assert.ok(!(await page.content()).includes(key.secret), 'staff see no secret');
  assert.equal(await page.getByRole('link', { name: 'Disable key' }).count(), 0);
}

async function disableAndEnable(page, demo) {
  const key = ofTessera(demo, 0);
  await page.goto(`/staff/keys/${key.key_id}`);
  await page.getByRole('link', { name: 'Disable key' }).click();
  await press(page, 'Disable key');
  await page.getByText('Write the reason').first().waitFor();
  await page.getByLabel('Reason').fill('It calls from a page that is not theirs');
  await press(page, 'Disable key');
  await page.getByText('It calls from a page that is not theirs').first().waitFor();
  await soon('the gate refuses it', async () => (await demo.code(key)) === 'KEY_DISABLED');
  await press(page, 'Enable key');
  await page.getByRole('link', { name: 'Disable key' }).waitFor();
  await soon('the gate lets it through', async () => (await demo.code(key)) === 'VALID');
}
