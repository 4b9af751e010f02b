// T-32: neither loading the page with the secret anew nor going back to it shows the secret or makes another key.

import assert from 'node:assert/strict';
import { test } from 'node:test';

export default function shownOnce(world) {
  test('t_32_reloading_the_page_with_the_secret_makes_no_second_key', () => shown(world, 'Reloaded', async page => {
    const again = page.waitForRequest(request => request.method() === 'POST');
    await page.reload();
    await again;
    await page.getByRole('heading', { name: 'This form was sent before' }).waitFor();
  }));

  test('t_32_going_back_does_not_show_the_secret_again', () => shown(world, 'Went back', async page => {
    await page.getByRole('link', { name: 'I saved it, go to the key' }).click();
    await page.getByRole('heading', { level: 1, name: 'Went back' }).waitFor();
    // The page was not kept, and a browser asks before it sends a form again: it shows a page of its own.
    await page.goBack().catch(missed => assert.match(missed.message, /ERR_CACHE_MISS/));
    await page.waitForURL(/^chrome-error:|\/keys\/new$/);
    await page.waitForLoadState();
  }));
}

async function shown({ chrome, demo }, name, afterwards) {
  const person = demo.person('developer', 'brightwater-bakery');
  await chrome.with({ person, expectsTrouble: true }, async page => {
    await page.goto(`/accounts/${person.account}/keys/new`);
    await page.getByLabel('Name').fill(name);
    await page.getByRole('checkbox').first().check();
    await page.getByRole('button', { name: 'Create key' }).click();
    const secret = await page.locator('#secret').innerText();
    await afterwards(page);
    assert.ok(!(await page.content()).includes(secret), 'the secret is shown once');
    await page.goto(`/accounts/${person.account}/keys?q=${encodeURIComponent(name)}`);
    assert.equal(await page.locator('#keys tbody tr').count(), 1, 'one key was made');
  });
}
