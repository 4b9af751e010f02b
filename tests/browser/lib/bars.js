// The bars that every page is held to: accessibility, the page's own policy, weight, stillness, reflow. Knows no page.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const MOST_BYTES = 20 * 1024;
const WEIGHED = ['document', 'stylesheet', 'script'];

// Whatever a page may still be doing after it has loaded: fonts, and two frames to put them in place.
export async function settled(page) {
  await page.waitForLoadState('load');
  await page.evaluate(async () => {
    await document.fonts.ready;
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  });
}

// What axe-core finds, one line each.
export async function inaccessible(page) {
  await page.evaluate(AXE);
  return found(page, { type: 'tag', values: TAGS });
}

// The same for what depends on colours, on a page that was looked at before.
export const unreadable = page => found(page, { type: 'rule', values: ['color-contrast', 'link-in-text-block'] });

async function found(page, runOnly) {
  const { violations } = await page.evaluate(only => axe.run(document, { runOnly: only, resultTypes: ['violations'] }), runOnly);
  return violations.flatMap(({ id, nodes }) => nodes.map(node => `axe ${id}: ${node.html.slice(0, 140)} (${node.failureSummary.split('\n').at(-1).trim()})`));
}

// What moved while the page loaded, and what its policy blocked.
export async function unquiet(page) {
  const { shift, moved, blocked } = await page.evaluate(() => window.watched);
  const off = blocked.map(what => `the policy blocked ${what}`);
  if (shift > 0) off.push(`moved by ${shift.toFixed(4)}: ${moved.join(' | ')}`);
  return off;
}

// The width beyond the window's, which would have to be scrolled to sideways.
export async function tooWide(page, width) {
  await page.setViewportSize({ width, height: 900 });
  const [wide, where] = await page.evaluate(() => {
    const root = document.scrollingElement;
    const most = root.clientWidth;
    const out = [...document.querySelectorAll('body *')].find(element => element.getBoundingClientRect().right > most + 1);
    return [root.scrollWidth - most, out?.outerHTML.slice(0, 120)];
  });
  return wide > 0 ? [`${wide} px too wide at ${width}: ${where}`] : [];
}

// Adds up HTML, style sheets and scripts, each compressed, as they arrive. Fonts and icons are weighed apart.
export class Scales {
  constructor(page) {
    this.parts = new Map();
    page.on('response', response => {
      const request = response.request();
      const kind = request.resourceType();
      if (!WEIGHED.includes(kind) || request.redirectedTo()) return;
      // The page that is looked at is the last one; what it shares with the ones before it counts once.
      const name = kind === 'document' ? 'html' : new URL(response.url()).pathname;
      this.parts.set(name, response.body().then(body => gzipSync(body, { level: 9 }).length, () => 0));
    });
  }

  async tooHeavy() {
    const sizes = await Promise.all([...this.parts].map(async ([name, size]) => [name, await size]));
    const sum = sizes.reduce((total, [, size]) => total + size, 0);
    this.total = sum;
    return sum > MOST_BYTES ? [`${sum} bytes compressed, at most ${MOST_BYTES}: ${sizes.map(pair => pair.join(' ')).join(', ')}`] : [];
  }
}
