// The portal in a real browser: one demo of the binary that LATCHKEY_BIN names, one Chromium, all suites. Run by scripts/test.

import { after, before } from 'node:test';
import { Chrome } from './lib/chrome.js';
import { Demo } from './lib/demo.js';
import journey from './journey.js';
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

journey(world);
withoutScript(world);
promises(world);
routes(world);
