// An API behind the documented nginx, called by pages of other sites as browsers do it: with a preflight, with a header that
// holds the key, and by a picture's address alone. A page of an allowed domain gets its answer; another one gets the reason.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { describe, test } from 'node:test';
import { freePort } from './lib/demo.js';
import { Proxy } from './lib/proxy.js';

const API = 'api.meridian.example';
const TILES = 'tiles.meridian.example';

// Asks the API from within a page, and says what that page may read of the answer.
const ASK = async ([address, options]) => {
  try {
    const answer = await fetch(address, options);
    const type = answer.headers.get('content-type') ?? '';
    return {
      status: answer.status,
      error: type.startsWith('application/json') ? (await answer.json()).error : undefined,
      verdict: answer.headers.get('latchkey-verdict'),
      requestId: answer.headers.get('latchkey-request-id'),
      limit: answer.headers.get('x-ratelimit-limit'),
      wait: answer.headers.get('retry-after'),
    };
  } catch (why) {
    return { blocked: String(why) };
  }
};

// Whether a picture comes.
const SHOW = address => new Promise(done => {
  const picture = new Image();
  picture.onload = () => done(true);
  picture.onerror = () => done(false);
  picture.src = address;
});

export default function cors(world) {
  describe('an API that pages of other sites call', () => {
    test('an_allowed_page_reads_its_answer_and_another_reads_why_not', async () => {
      const stage = await staged(world);
      try {
        await allowed(stage);
        await another(stage);
        await pictures(stage);
      } finally {
        await stage.close();
      }
    });
  });
}

// nginx, an empty page at any host, and a key that is bound to one of them.
async function staged({ demo, chrome }) {
  const key = demo.keys.find(one => one.kind === 'browser' && one.state === 'active');
  const proxy = await Proxy.start(demo.gate);
  const port = await freePort();
  const site = createServer((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html' });
    response.end('<!doctype html><title>A page</title>');
  });
  await new Promise(ready => site.listen(port, '127.0.0.1', ready));
  const context = await chrome.visitor();
  return {
    key,
    proxy,
    address: (host, path) => `http://${host}:${proxy.port}${path}`,
    open: async host => {
      const page = await context.newPage();
      await page.goto(`http://${host}:${port}/`);
      return page;
    },
    close: async () => {
      await context.close();
      site.closeAllConnections();
      await new Promise(done => site.close(done));
      await proxy.stop();
    },
  };
}

async function allowed({ key, proxy, address, open }) {
  const page = await open(key.domains.find(domain => !domain.startsWith('*')));
  const asked = { method: 'GET', headers: { 'X-API-Key': key.secret } };
  const answer = await page.evaluate(ASK, [address(API, '/geocode/1?q=a'), asked]);
  assert.equal(answer.status, 200, JSON.stringify(answer));
  assert.match(answer.requestId, /^req_/, 'the page may read the request ID');
  assert.ok(Number(answer.limit) > 0, 'and its limit');
  // The preflight was answered in front of the API, which saw the request alone, without the key.
  assert.deepEqual(proxy.reached.map(({ method, url }) => `${method} ${url}`), ['GET /geocode/1?q=a']);
  assert.equal(proxy.reached[0].headers['x-api-key'], undefined);
  assert.equal(proxy.reached[0].headers['latchkey-key-id'], key.key_id);
  // What the key may not, the page reads in words.
  const denied = await page.evaluate(ASK, [address(API, '/geocode/1'), { ...asked, method: 'DELETE' }]);
  assert.equal(denied.verdict, 'ACCESS_NOT_ALLOWED', JSON.stringify(denied));
  assert.equal(denied.status, 403);
  assert.equal(proxy.reached.length, 1);
}

async function another({ key, proxy, address, open }) {
  const before = proxy.reached.length;
  const page = await open('evil.example');
  const answer = await page.evaluate(ASK, [address(API, '/geocode/1'), { headers: { 'X-API-Key': key.secret } }]);
  assert.equal(answer.status, 403, JSON.stringify(answer));
  assert.equal(answer.verdict, 'ORIGIN_NOT_ALLOWED');
  assert.equal(answer.error.code, 'Forbidden');
  assert.ok(answer.error.message.length > 20 && answer.error.help.includes('/r/'), 'it says why, and where to read on');
  // A product that nobody has is refused before anything is sent.
  const nowhere = await page.evaluate(ASK, [address('nowhere.example', '/x'), { headers: { 'X-API-Key': key.secret } }]);
  assert.ok(nowhere.blocked, JSON.stringify(nowhere));
  assert.equal(proxy.reached.length, before, 'nothing reached the API');
}

// A picture is asked for without a preflight and without Origin: the page's address alone says where it comes from.
async function pictures({ key, proxy, address, open }) {
  const before = proxy.reached.length;
  const tile = address(TILES, `/1/2/3.png?key=${key.secret}`);
  const other = await open('evil.example');
  assert.equal(await other.evaluate(SHOW, tile), false);
  assert.equal(proxy.reached.length, before);
  const page = await open(key.domains.find(domain => !domain.startsWith('*')));
  assert.equal(await page.evaluate(SHOW, tile), true);
  const { url, headers } = proxy.reached.at(-1);
  assert.equal(url, '/1/2/3.png', 'without the key');
  assert.ok(headers.referer?.includes('tessera-freight.example'), headers.referer);
  assert.equal(headers.origin, undefined);
}
