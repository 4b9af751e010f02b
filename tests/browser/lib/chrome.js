// One Chromium for the whole suite, a context for each visitor. Knows how people sign in, and what no page may ever do: ask
// anybody else for anything, fail a request, break its own policy, throw.

import { chromium } from 'playwright-core';

const SWITCHES = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
  // Hosts of no network stand for other sites: all of them are this machine.
  '--host-resolver-rules=MAP *.example 127.0.0.1',
];

// Runs in each page before anything of its own: what moved, what the policy blocked.
const WATCH = () => {
  window.watched = { shift: 0, moved: [], blocked: [] };
  const box = ({ x, y, width, height }) => [x, y, width, height].map(Math.round).join(' ');
  const moved = ({ node, previousRect, currentRect }) =>
    `${box(previousRect)} to ${box(currentRect)} ${node?.outerHTML?.slice(0, 80) ?? node?.textContent ?? '?'}`;
  document.addEventListener('securitypolicyviolation', event => {
    window.watched.blocked.push(`${event.effectiveDirective} ${event.blockedURI}`);
  });
  new PerformanceObserver(list => {
    for (const entry of list.getEntries()) {
      if (entry.hadRecentInput) continue;
      window.watched.shift += entry.value;
      window.watched.moved.push(...entry.sources.map(moved));
    }
  }).observe({ type: 'layout-shift', buffered: true });
};

export class Chrome {
  static async launch(portal) {
    const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
    return new Chrome(await chromium.launch({ executablePath, args: SWITCHES }), portal);
  }

  constructor(browser, portal) {
    this.browser = browser;
    this.portal = portal;
    this.states = new Map();
  }

  // A new visitor: signed in as `person` when there is one. `theme`, `width` and Playwright's own options as wanted.
  async visitor({ person, theme = 'light', width = 1280, height = 900, ...more } = {}) {
    const context = await this.browser.newContext({
      baseURL: this.portal,
      storageState: person ? await this.#signedIn(person) : undefined,
      colorScheme: theme,
      viewport: { width, height },
      locale: 'en-GB',
      timezoneId: 'Europe/Berlin',
      ...more,
    });
    context.setDefaultTimeout(10_000);
    await context.addInitScript(WATCH);
    return context;
  }

  // Runs `walk` on a page of a new visitor; whatever the page did wrong fails it, unless `wrong` is asked for.
  async with(options, walk) {
    const context = await this.visitor(options);
    try {
      const page = await context.newPage();
      const wrong = watch(page, this.portal);
      const outcome = await walk(page, wrong);
      if (wrong.length > 0 && !options.expectsTrouble) {
        throw new Error(`on ${page.url()}:\n  ${wrong.join('\n  ')}`);
      }
      return outcome;
    } finally {
      await context.close();
    }
  }

  // Signs in once for each person, however many of their visits run at the same time.
  #signedIn(person) {
    if (!this.states.has(person.email)) this.states.set(person.email, this.#signIn(person));
    return this.states.get(person.email);
  }

  async #signIn(person) {
    return this.with({}, async page => {
      await page.goto('/sign-in');
      await page.getByLabel('Mail address').fill(person.email);
      await page.getByLabel('Password').fill(person.password);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.waitForURL(url => !url.pathname.startsWith('/sign-in'));
      return page.context().storageState();
    });
  }

  async close() {
    await this.browser.close();
  }
}

// Notes what a page does that no page may do. Answers of 4xx to the page itself are for the test to judge.
function watch(page, portal) {
  const wrong = [];
  page.on('request', request => {
    const url = new URL(request.url());
    if (url.protocol !== 'data:' && url.origin !== portal) wrong.push(`asks another host: ${request.url()}`);
  });
  page.on('requestfailed', request => {
    // What the browser itself gave up, because the page was left or the answer became a download.
    const why = request.failure()?.errorText;
    if (why !== 'net::ERR_ABORTED') wrong.push(`${request.url()} failed: ${why}`);
  });
  page.on('response', response => {
    const isPage = response.request().isNavigationRequest();
    if (!isPage && response.status() >= 400) wrong.push(`${response.url()} answered ${response.status()}`);
  });
  page.on('pageerror', error => wrong.push(`threw ${error}`));
  page.on('console', message => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) wrong.push(message.text());
  });
  return wrong;
}
