// Every GET route that the program lists, in each of the states that lib/visits.js names, wide and narrow, light and dark, held to
// every bar of lib/bars.js.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { routes as listed } from './lib/demo.js';
import { inaccessible, Scales, settled, tooWide, unquiet, unreadable } from './lib/bars.js';
import { visits } from './lib/visits.js';

const WIDTHS = [1280, 390];

export default function routes(world) {
  test('every_get_route_of_the_program_is_visited', async () => {
    const paths = (await listed()).filter(route => route.method === 'GET').map(route => route.path);
    assert.ok(paths.length > 20, 'the program lists its routes');
    assert.deepEqual(Object.keys(visits).sort(), paths.sort(), 'lib/visits.js has a visit for every GET route, and no other');
  });

  describe('every route holds every bar', { concurrency: 4 }, () => {
    for (const [path, ways] of Object.entries(visits)) {
      for (const visit of ways) {
        const name = [path, visit.name, visit.as === 'nobody' ? '' : `as ${visit.as}`].filter(Boolean).join(', ');
        test(name, () => hold(world, path, visit));
      }
    }
  });
}

function visitorOf(visit, { demo }) {
  if (visit.as.email) return visit.as;
  if (visit.as === 'nobody') return undefined;
  const isMember = visit.as === 'developer' || visit.as === 'viewer';
  return demo.person(visit.as, isMember ? demo.keys[0].account : undefined);
}

export async function hold(world, path, visit) {
  const person = visitorOf(visit, world);
  // Without motion, so that no colour is caught between light and dark.
  await world.chrome.with({ person, reducedMotion: 'reduce' }, async (page, wrong) => {
    const met = meets(page, path);
    const scales = new Scales(page);
    for (const width of WIDTHS) {
      await page.emulateMedia({ colorScheme: 'light' });
      await page.setViewportSize({ width, height: 900 });
      await (visit.reloads && width !== WIDTHS[0] ? page.reload() : visit.open(page, world));
      await settled(page);
      const off = [...await unquiet(page), ...await scales.tooHeavy(), ...await inaccessible(page)];
      // Dark is the same page in other colours.
      await page.emulateMedia({ colorScheme: 'dark' });
      const dark = await unreadable(page);
      off.push(...dark.map(what => `dark: ${what}`), ...await tooWide(page, width));
      if (width === 390) off.push(...await tooWide(page, 320));
      assert.deepEqual([...off, ...wrong.splice(0)], [], `at ${width}`);
      assert.equal(met.status, visit.status ?? 200, `the status of ${path}`);
    }
    if (process.env.LATCHKEY_WEIGHTS) console.log(`${scales.total} bytes: ${path}, ${visit.name}`);
  });
}

// Sees to it that a visit really asks for its route, and notes with which status that ended.
function meets(page, path) {
  const pattern = new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\{[^}]+\}/g, '[^/]+')}$`);
  const met = { status: 'never asked for' };
  page.on('response', response => {
    const isIt = pattern.test(new URL(response.url()).pathname);
    // A redirect on from here is an answer of this route; the page that it leads to is judged by the bars.
    if (isIt) met.status = response.status() === 303 || response.status() === 308 ? 200 : response.status();
  });
  return met;
}
