// Two ways to use a page: with the mouse, and with nothing but Tab, Enter, Space and letters. Both do what a person does, so
// that a journey can be walked with either. The keyboard looks at each stop whether its ring can be seen.

import assert from 'node:assert/strict';

export class Mouse {
  constructor(page) { this.page = page; }

  async fill(field, text) {
    await field.click();
    await this.page.keyboard.type(text);
  }

  async press(target) { await target.click(); }

  async tick(choice) { await choice.click(); }
}

export class Keyboard {
  constructor(page) { this.page = page; }

  async fill(field, text) {
    await this.#go(field);
    await this.page.keyboard.type(text);
  }

  async press(target) {
    await this.#go(target);
    await this.page.keyboard.press('Enter');
  }

  async tick(choice) {
    await this.#go(choice);
    await this.page.keyboard.press('Space');
  }

  // Tab after Tab until `target` has the focus.
  async #go(target) {
    await target.waitFor({ state: 'attached' });
    for (let stop = 0; stop < 80; stop++) {
      if (stop > 0 || !(await has(target))) await this.page.keyboard.press('Tab');
      const missing = await this.page.evaluate(whatHidesTheRing);
      assert.equal(missing, '', `${this.page.url()}: the focus cannot be seen`);
      if (await has(target)) return;
    }
    assert.fail(`${this.page.url()}: 80 times Tab do not lead to ${target}`);
  }
}

const has = target => target.evaluate(element => element === document.activeElement);

// Why the ring of whatever has the focus cannot be seen; nothing when it can. Runs in the page.
export function whatHidesTheRing() {
  const focused = document.activeElement;
  // Past the last stop the focus is at the browser's own bars, which is no stop of the page.
  if (!focused || focused === document.body || focused === document.documentElement) return '';
  const named = focused.outerHTML.slice(0, 120);
  const ringed = [focused, focused.closest('label')].find(element => {
    const style = element && getComputedStyle(element);
    return style && style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 && style.opacity !== '0';
  });
  if (!ringed) return `no ring on ${named}`;
  const style = getComputedStyle(ringed);
  const reach = parseFloat(style.outlineOffset) + parseFloat(style.outlineWidth);
  const box = ringed.getBoundingClientRect();
  if (box.width < 4 || box.height < 4) return `too small to be seen: ${named}`;
  const ring = { left: box.left - reach, top: box.top - reach, right: box.right + reach, bottom: box.bottom + reach };
  for (let outer = ringed.parentElement; outer && outer !== document.body; outer = outer.parentElement) {
    const how = getComputedStyle(outer);
    if (how.overflowX === 'visible' && how.overflowY === 'visible') continue;
    const room = outer.getBoundingClientRect();
    const cut = ring.left < room.left - 1 || ring.right > room.right + 1 || ring.top < room.top - 1 || ring.bottom > room.bottom + 1;
    if (cut) return `cut off by <${outer.localName} class="${outer.className}">: ${named}`;
  }
  const seen = ring.right > 0 && ring.bottom > 0 && ring.left < innerWidth && ring.top < innerHeight;
  return seen ? '' : `outside of the window: ${named}`;
}
