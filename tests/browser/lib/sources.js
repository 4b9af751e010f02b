// What a picture of a page is made from: its template with all that this one extends, imports and includes, the style sheet, the
// icons. Knows no browser.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

export const root = new URL('../../../', import.meta.url);
const read = path => readFileSync(new URL(path, root), 'utf8');

const EVERY_PAGE = ['static/latchkey.css', 'static/icons.svg', 'static/chev.svg'];

// The template and what it is put together from, each once.
function parts(template, found = new Set()) {
  if (found.has(template)) return found;
  found.add(template);
  const named = read(`templates/${template}`).matchAll(/\{%-?\s*(?:extends|import|include)\s+"([^"]+)"/g);
  for (const [, other] of named) parts(other, found);
  return found;
}

// A digest of it all, which changes when the page may look different.
export function digest(template) {
  const sum = createHash('sha256');
  const paths = [...[...parts(template)].map(part => `templates/${part}`), ...EVERY_PAGE].sort();
  for (const path of paths) sum.update(path).update('\0').update(read(path)).update('\0');
  return sum.digest('hex').slice(0, 16);
}
