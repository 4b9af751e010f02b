// From sign-up to a counted request and back through support and an admin, once with each pair of hands.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { Keyboard, Mouse } from './lib/hands.js';
import { soon } from './lib/soon.js';

const shell = promisify(execFile);

export default function journey(world) {
  describe('the journey', { concurrency: 2 }, () => {
    test('from_sign_up_to_disable_and_enable_with_the_mouse', () => walk(world, Mouse, 'mouse'));
    test('from_sign_up_to_disable_and_enable_with_the_keyboard_alone', () => walk(world, Keyboard, 'keyboard'));
  });
}

async function walk({ chrome, demo }, Hands, name) {
  await chrome.with({}, async page => {
    const made = await newcomer(page, new Hands(page), name);
    const line = await createKey(page, new Hands(page), made);
    assert.match(await sent(line), /\bVALID\b/);
    await seen(page, new Hands(page), made);
    await supportLooksUp(chrome, demo, Hands, made);
    await adminSwitches(chrome, demo, Hands, made, line, page);
  });
}

// What the shown line prints when it is run as it stands.
async function sent(line) {
  const { stdout } = await shell('sh', ['-c', `${line} --silent --show-error --max-time 5`]);
  return stdout;
}

async function signIn(page, hands, person) {
  await hands.fill(page.getByLabel('Mail address'), person.email);
  await hands.fill(page.getByLabel('Password'), person.password);
  await hands.press(page.getByRole('button', { name: 'Sign in' }));
}

async function newcomer(page, hands, name) {
  const person = { email: `nora@${name}.example`, password: `a long ${name} pass phrase` };
  await page.goto('/');
  await hands.press(page.getByRole('link', { name: 'Create an account' }));
  await hands.fill(page.getByLabel('Name', { exact: true }), 'Nora Newcomer');
  await hands.fill(page.getByLabel('Company'), `Newcomer ${name}`);
  await hands.fill(page.getByLabel('Mail address'), person.email);
  await hands.fill(page.getByLabel('Password'), person.password);
  await hands.press(page.getByRole('button', { name: 'Create account' }));
  await page.getByText('its account is ready').waitFor();
  await signIn(page, hands, person);
  await page.getByRole('heading', { name: 'Create your first key' }).waitFor();
  return person;
}

// Makes a key; leaves the page that shows its secret once open, and gives back its curl line.
async function createKey(page, hands, made) {
  await hands.press(page.getByRole('link', { name: 'Create key' }));
  await hands.fill(page.getByLabel('Name'), 'Shop front');
  await hands.tick(page.getByRole('checkbox').first());
  await hands.press(page.getByRole('button', { name: 'Create key' }));
  await page.getByRole('heading', { name: 'Copy your secret now' }).waitFor();
  made.secret = await page.locator('#secret').innerText();
  made.keyId = await page.locator('#key-id').innerText();
  const line = await page.locator('#line-curl').innerText();
  assert.ok(line.startsWith('curl ') && line.includes(made.secret), line);
  return line;
}

// The page with the secret hears of the request by itself, and the key's page counts it.
async function seen(page, hands, made) {
  await page.getByText('The first request has arrived').waitFor();
  await hands.press(page.getByRole('link', { name: 'I saved it, go to the key' }));
  const total = page.locator('#today-total');
  await soon('the page counts the request', async () => (await total.innerText()) === '1');
  assert.ok(!(await page.content()).includes(made.secret), 'the secret is shown once');
}

async function lookUp(page, hands, made) {
  await hands.fill(page.getByLabel('Key ID or secret'), made.keyId);
  await hands.press(page.getByRole('button', { name: 'Look up' }));
  await page.getByRole('heading', { level: 1, name: 'Shop front' }).waitFor();
  assert.ok(!(await page.content()).includes(made.secret), 'staff see no secret');
}

async function supportLooksUp(chrome, demo, Hands, made) {
  await chrome.with({}, async page => {
    const hands = new Hands(page);
    await page.goto('/staff/look-up');
    await signIn(page, hands, demo.person('support'));
    await lookUp(page, hands, made);
    assert.equal(await page.getByRole('link', { name: 'Disable key' }).count(), 0, 'support changes nothing');
  });
}

async function adminSwitches(chrome, demo, Hands, made, line, owners) {
  await chrome.with({}, async page => {
    const hands = new Hands(page);
    await page.goto('/staff/look-up');
    await signIn(page, hands, demo.person('admin'));
    await lookUp(page, hands, made);
    await hands.press(page.getByRole('link', { name: 'Disable key' }));
    await hands.fill(page.getByLabel('Reason'), 'Seen in a public repository');
    await hands.press(page.getByRole('button', { name: 'Disable key' }));
    await page.getByText('Seen in a public repository').first().waitFor();
    await soon('the gate refuses the key', async () => /KEY_DISABLED/.test(await sent(line)));
    await owners.reload();
    await owners.getByText('Seen in a public repository').waitFor();
    await hands.press(page.getByRole('button', { name: 'Enable key' }));
    await page.getByRole('link', { name: 'Disable key' }).waitFor();
    await soon('the gate lets the key through', async () => /\bVALID\b/.test(await sent(line)));
  });
}
