// Promises of docs/trust.md that only a real browser can show. The tests are named after them and listed there.

import { describe } from 'node:test';
import crossSite from './promises/cross_site.js';
import hostileText from './promises/hostile_text.js';
import policy from './promises/policy.js';
import shownOnce from './promises/shown_once.js';

export default function promises(world) {
  describe('promises', { concurrency: 4 }, () => {
    for (const family of [hostileText, crossSite, shownOnce, policy]) family(world);
  });
}
