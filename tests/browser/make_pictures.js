// Makes docs/pictures anew. Run by scripts/pictures.

import { Chrome } from './lib/chrome.js';
import { Demo } from './lib/demo.js';
import { make } from './pictures.js';

const demo = await Demo.start();
const chrome = await Chrome.launch(demo.portal);
try {
  await make({ chrome, demo });
} finally {
  await chrome.close();
  await demo.stop();
}
