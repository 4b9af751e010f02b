// T-13: a browser says where a form comes from, and the portal takes none but its own.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { routes } from '../lib/demo.js';
import { Elsewhere } from '../lib/elsewhere.js';
import { filled } from '../lib/visits.js';

const ACCOUNT = 'brightwater-bakery';

export default function crossSite(world) {
  test('t_13_a_form_on_a_page_from_elsewhere_writes_nothing', async () => {
    const elsewhere = await Elsewhere.start();
    const { chrome, demo } = world;
    const key = demo.keys.find(one => one.account === ACCOUNT && one.state === 'active');
    try {
      const posts = (await routes()).filter(route => route.method === 'POST');
      assert.ok(posts.length > 8, 'the program lists its routes');
      await Promise.all([demo.person('developer', ACCOUNT), demo.person('admin')].map(person => {
        const theirs = posts.filter(({ path }) => path.startsWith('/staff') === (person.role === 'admin'));
        return chrome.with({ person, expectsTrouble: true }, page => attacked(page, theirs, demo, elsewhere, key));
      }));
    } finally {
      await elsewhere.stop();
    }
    assert.equal(await demo.code(key), 'VALID', 'the key was neither disabled nor deleted');
  });
}

// Each POST route, by a page of another site and by one of the same site at another port, which is sent with the cookies.
async function attacked(page, posts, demo, elsewhere, key) {
  for (const site of elsewhere.sites) {
    for (const { path } of posts) {
      const target = demo.portal + filled(path, key);
      const answer = page.waitForResponse(response => response.url() === target);
      await page.goto(elsewhere.posting(site, target, { reason: 'x', name: 'x', theme: 'dark', q: 'x' }));
      assert.equal((await answer).status(), 403, `${path} from ${site}`);
      await page.getByRole('heading', { name: 'This form did not come from here' }).waitFor();
    }
  }
  await page.goto('/');
  assert.ok(!page.url().includes('/sign-in'), 'still signed in');
  assert.equal(await page.locator('html').getAttribute('data-theme'), 'auto', 'the colours are as they were');
}
