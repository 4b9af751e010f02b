// The portal in a real browser: one demo of the binary that LATCHKEY_BIN names, one Chromium, all suites. Run by scripts/test.

import { after, before, describe } from 'node:test';
import { Chrome } from './lib/chrome.js';
import { Demo } from './lib/demo.js';
import cors from './cors.js';
import journey from './journey.js';
import mail from './mail.js';
import pictures from './pictures.js';
import promises from './promises.js';
import routes from './routes.js';
import withoutScript from './without_script.js';

// What every suite gets; filled in before the first test.
const world = {};

before(async () => {
  world.demo = await Demo.start();
  world.chrome = await Chrome.launch(world.demo.portal);
});

after(async () => {
  await world.chrome?.close();
  await world.demo?.stop();
});

// Most of the journey is waiting, most of the routes is computing: side by side they take the time of the longer.
describe('the portal in a browser', { concurrency: 3 }, () => {
  for (const suite of [routes, promises, journey, mail, withoutScript, cors, pictures]) suite(world);
});
