// Mail as people meet it: from a form to a mail, from the mail's button back to a page.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { inaccessible, settled, unreadable } from './lib/bars.js';
import { Chrome } from './lib/chrome.js';
import { button, Mailing } from './lib/mailing.js';
import { hold } from './routes.js';

const PASSWORD = 'a pass phrase of grace';
const ANOTHER = 'another pass phrase of grace';

export default function mail(world) {
  describe('mail', { concurrency: 2 }, () => {
    const own = {};
    before(async () => {
      own.demo = await Mailing.start();
      own.chrome = new Chrome(world.chrome.browser, own.demo.portal);
    });
    after(() => own.demo?.stop());

    test('from_sign_up_to_a_confirmed_account_and_another_password', () => fromSignUpToReset(own));
    test('the_same_without_scripts', () => fromSignUpToReset(own, { javaScriptEnabled: false }));
    test('a_new_address_is_confirmed_from_its_mail', () => newAddress(own));
    test('every_page_on_the_way_holds_every_bar', () => bars(own));
    test('a_mail_can_be_read_by_everybody', () => readable(own));
  });
}

async function fill(page, typed, press) {
  for (const [label, text] of Object.entries(typed)) await page.getByLabel(label, { exact: true }).fill(text);
  await page.getByRole('button', { name: press }).click();
}

const signUp = (page, email) => fill(page, { Name: 'Grace Hopper', Company: `Compilers of ${email}`, 'Mail address': email, Password: PASSWORD }, 'Create account');
const signIn = (page, email, password) => fill(page, { 'Mail address': email, Password: password }, 'Sign in');

let people = 0;
const somebody = () => `grace${++people}@example.org`;

// Somebody who has signed up and confirmed.
async function member({ chrome, demo }) {
  const email = somebody();
  await chrome.with({}, async page => {
    await page.goto('/sign-up');
    await signUp(page, email);
    await page.goto(button(await demo.mail(email)));
    await page.getByRole('button', { name: 'Confirm address' }).click();
    await page.getByText('your account is ready').waitFor();
  });
  return { email, password: PASSWORD };
}

async function fromSignUpToReset({ chrome, demo }, options = {}) {
  const email = somebody();
  await chrome.with(options, async page => {
    await page.goto('/sign-up');
    await signUp(page, email);
    await page.getByText(`on its way to ${email}`).waitFor();
    const confirm = await demo.mail(email);
    assert.equal(confirm.subject, 'Confirm your mail address for Latchkey');
    assert.equal(confirm.from.text, '"Acme Maps" <keys@acme.example>');
    assert.ok(confirm.text.includes(button(confirm)), 'the text has the same link');
    await page.goto(button(confirm));
    assert.ok(!page.url().includes('token'), page.url());
    await page.getByRole('button', { name: 'Confirm address' }).click();
    await signIn(page, email, PASSWORD);
    await page.getByRole('heading', { name: 'Create your first key' }).waitFor();
  });
  await chrome.with(options, async page => {
    await page.goto('/sign-in');
    await page.getByRole('link', { name: 'Forgot your password?' }).click();
    await fill(page, { 'Mail address': email }, 'Send link');
    await page.goto(button(await demo.mail(email)));
    await fill(page, { Password: ANOTHER }, 'Set password');
    await signIn(page, email, ANOTHER);
    await page.getByRole('heading', { name: 'Create your first key' }).waitFor();
    assert.match((await demo.mail(email)).subject, /^Your password .* was changed$/);
  });
}

async function newAddress(world) {
  const person = await member(world);
  const email = somebody();
  await world.chrome.with({ person }, async page => {
    await page.goto('/profile');
    await page.getByRole('link', { name: 'Change address' }).click();
    await fill(page, { 'New mail address': email, Password: PASSWORD }, 'Change mail address');
    await page.getByText(`on its way to ${email}`).waitFor();
    await page.goto(button(await world.demo.mail(email)));
    await page.getByRole('button', { name: 'Confirm address' }).click();
    await page.locator('main').getByText(email).waitFor();
    assert.ok((await world.demo.mail(person.email)).text.includes(email), 'the old address is told');
  });
}

async function bars(world) {
  const person = await member(world);
  const visit = (open, more = {}) => ({ as: person, open, ...more });
  const confirmable = async page => {
    const email = somebody();
    await page.goto('/sign-up');
    await signUp(page, email);
    await page.goto(button(await world.demo.mail(email)));
  };
  const onItsWay = async page => {
    await page.goto('/sign-up');
    await signUp(page, somebody());
    await page.getByText('on its way').waitFor();
  };
  const nobody = (open, more) => ({ ...visit(open, more), as: 'nobody' });
  await hold(world, '/reset', nobody(page => page.goto('/reset')));
  await hold(world, '/confirm', nobody(confirmable, { reloads: true }));
  await hold(world, '/sign-in', nobody(onItsWay, { reloads: true }));
  await hold(world, '/profile', visit(page => page.goto('/profile')));
}

// The HTML of a mail in a browser, which is what most mail programs are.
async function readable({ chrome, demo }) {
  const email = somebody();
  await chrome.with({ expectsTrouble: true }, async page => {
    await page.goto('/sign-up');
    await signUp(page, email);
    const { html } = await demo.mail(email);
    await page.goto('about:blank');
    await page.setContent(html);
    await settled(page);
    assert.deepEqual((await inaccessible(page)).filter(what => !/landmark|region/.test(what)), []);
    await page.emulateMedia({ colorScheme: 'dark' });
    assert.deepEqual(await unreadable(page), []);
    assert.ok(!/src=|http-equiv|<script/.test(html), 'it fetches nothing');
  });
}
