// How a person meets each GET route of the portal: `visits` has every path of the program's own list, and for each the states in
// which its page looks different. Knows no bar that a page is held to.

// A visit: `name`, `as` (role, or nobody), `open(page, world)`, which leaves the page at what is to be looked at. `status` is the
// page's where it is not 200; `reloads` says that loading it anew brings the same page.

// A route's path with a key's account, its ID, and some request's ID.
export function filled(path, key) {
  return path.replace('{account}', key.account).replace('{key_id}', key.key_id).replace('{request_id}', 'req_0123');
}

// The path with a key of the first account in that state.
const inState = (path, state) => (page, { demo }) => page.goto(filled(path, demo.key(state)));
const at = path => inState(path, 'active');

// A number that no other visit gets: names and addresses are taken once.
function count(world) {
  world.counted = (world.counted ?? 0) + 1;
  return world.counted;
}

const KEY = '/accounts/{account}/keys/{key_id}';
const STAFF_KEY = '/staff/keys/{key_id}';

// Fills a form wrongly and sends it.
const refused = (path, button, fields = {}) => async (page, world) => {
  await page.goto(filled(path, world.demo.key('active')));
  for (const [label, text] of Object.entries(fields)) await page.getByLabel(label, { exact: true }).fill(text);
  await page.getByRole('button', { name: button }).click();
  await page.locator('#errors').waitFor();
};

// The page with the secret, once it has looked for the first request.
async function makeKey(page, world) {
  await page.goto(filled('/accounts/{account}/keys/new', world.demo.key('active')));
  await page.getByLabel('Name').fill(`Seen once ${count(world)}`);
  await page.getByRole('checkbox').first().check();
  const looked = page.waitForResponse(response => response.url().endsWith('/first-request'));
  await page.getByRole('button', { name: 'Create key' }).click();
  await looked;
}

// The key's page, once its counts of today were filled in anew.
async function keyRefreshed(page, world) {
  const looked = page.waitForResponse(response => response.url().endsWith('/today'));
  await page.goto(filled(KEY, world.demo.key('active')));
  await looked;
}

// The same once its callers were.
async function callersRefreshed(page, world) {
  const looked = page.waitForResponse(response => response.url().endsWith('/calling'));
  await page.goto(filled(KEY, world.demo.key('active')));
  await looked;
}

// A key that ended, once its gates were asked for anew.
const proofRefreshed = path => async (page, world) => {
  const looked = page.waitForResponse(response => response.url().endsWith('/proof'));
  await page.goto(filled(path, world.demo.key('disabled')));
  await looked;
};

// The list's keys are chosen, and its button pressed.
const chosen = what => async (page, world) => {
  await page.goto(filled('/accounts/{account}/keys', world.demo.key('active')));
  for (const box of (await page.locator('input[name=key]').all()).slice(0, 2)) await box.check();
  await page.locator(`button[name=do][value=${what}]`).click();
  await page.locator('.bar-foot').waitFor();
};

// A key for browsers is made, and its page that asks whether to show the secret again is opened.
async function revealing(page, world) {
  await page.goto(filled('/accounts/{account}/keys/new', world.demo.key('active')));
  await page.getByLabel('Name').fill(`Widget ${count(world)}`);
  await page.locator('[name=kind][value=browser]').check();
  await page.getByLabel('Any site may use it').check();
  await page.getByRole('group', { name: 'Products' }).getByRole('checkbox').first().check();
  await page.getByRole('button', { name: 'Create key' }).click();
  const key = await page.getByRole('link', { name: 'I saved it, go to the key' }).getAttribute('href');
  await page.goto(`${key}/reveal`);
}

async function emptyAccount(page, world) {
  await page.goto('/sign-up');
  const mail = `empty${count(world)}@empty.example`;
  const typed = { Name: 'Emil Empty', Company: 'Nothing yet', 'Mail address': mail, Password: 'nothing here so far' };
  for (const [label, text] of Object.entries(typed)) await page.getByLabel(label, { exact: true }).fill(text);
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByLabel('Mail address').fill(mail);
  await page.getByLabel('Password').fill(typed.Password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Create your first key' }).waitFor();
}

async function passwordLink(page, world) {
  await page.goto(await world.demo.passwordLink(`link${count(world)}@link.example`));
}

// Where nothing to press lies below the menu, half covered.
async function menuOpen(page) {
  await page.goto('/preferences');
  await page.locator('.menu > summary').last().click();
}

async function tableOpen(page, world) {
  await page.goto(filled(KEY, world.demo.key('active')));
  await page.getByText('Show as table').click();
}

const downloaded = path => async (page, world) => {
  await page.goto(filled(path, world.demo.key('active')));
  const file = page.waitForEvent('download');
  await page.getByRole('link', { name: 'CSV' }).first().click();
  await (await file).path();
};

async function explained(page, world) {
  await page.goto(filled(`${KEY}/explain`, world.demo.key('active')));
  await page.getByLabel('Method').selectOption('DELETE');
  await page.getByRole('button', { name: 'Explain' }).click();
  await page.locator('#outcome').waitFor();
}

const one = (as, open, name = '', more = {}) => ({ as, open, name, ...more });

export const visits = {
  '/': [one('nobody', at('/')), one('developer', at('/')), one('support', at('/'), 'as staff')],
  '/sign-in': [one('nobody', at('/sign-in')), one('nobody', refused('/sign-in', 'Sign in', { 'Mail address': 'no@where.example' }), 'refused', { status: 422 })],
  '/sign-up': [one('nobody', at('/sign-up')), one('nobody', refused('/sign-up', 'Create account', { 'Mail address': 'a@b' }), 'refused', { status: 422 })],
  '/set-password': [one('nobody', at('/set-password'), 'without a link', { status: 410 }), one('nobody', passwordLink, 'with a link', { reloads: true })],
  '/reset': [one('nobody', at('/reset'), 'where no mail is sent')],
  '/confirm': [one('nobody', at('/confirm'), 'without a link', { status: 410 })],
  '/profile': [one('developer', at('/profile')), one('admin', at('/profile'), 'as staff')],
  '/profile/name': [one('developer', at('/profile/name')), one('developer', refused('/profile/name', 'Change name', { Name: '' }), 'refused', { status: 422 })],
  '/profile/email': [one('developer', at('/profile/email')), one('developer', refused('/profile/email', 'Change mail address'), 'refused', { status: 422 })],
  '/profile/password': [one('developer', at('/profile/password')), one('developer', refused('/profile/password', 'Change password'), 'refused', { status: 422 })],
  '/accounts/{account}': [one('developer', at('/accounts/{account}'))],
  '/accounts/{account}/limits': [one('developer', at('/accounts/{account}/limits'))],
  '/accounts/{account}/audit': [
    one('developer', at('/accounts/{account}/audit')),
    one('viewer', at('/accounts/{account}/audit?q=nobody+of+that+name'), 'none fits'),
  ],
  '/accounts/{account}/audit.csv': [one('developer', downloaded('/accounts/{account}/audit'), 'downloaded')],
  '/accounts/{account}/keys': [
    one('developer', at('/accounts/{account}/keys')),
    one('viewer', at('/accounts/{account}/keys?status=active'), 'filtered, as a viewer'),
    one('developer', at('/accounts/{account}/keys?q=nothing+has+this+name'), 'none fits'),
    one('nobody', emptyAccount, 'none yet', { reloads: true }),
  ],
  '/accounts/{account}/keys/new': [
    one('developer', at('/accounts/{account}/keys/new')),
    one('developer', refused('/accounts/{account}/keys/new', 'Create key'), 'refused', { status: 422 }),
    one('viewer', at('/accounts/{account}/keys/new'), 'forbidden', { status: 403 }),
  ],
  [KEY]: [
    one('developer', tableOpen, 'table open'),
    ...['rotating', 'paused', 'disabled', 'expired'].map(state => one('developer', inState(KEY, state), state)),
    one('developer', at('/accounts/{account}/keys/key_aaaaaaaaaaaaaaaa'), 'not there', { status: 404 }),
  ],
  [`${KEY}/first-request`]: [one('developer', makeKey, 'the secret, once')],
  [`${KEY}/today`]: [one('developer', keyRefreshed, 'filled in anew')],
  ['/accounts/{account}/keys.csv']: [one('developer', downloaded('/accounts/{account}/keys'), 'downloaded')],
  ['/accounts/{account}/keys/selected']: [
    one('developer', chosen('delete'), 'to be deleted'),
    one('developer', chosen('add'), 'to get a product'),
    one('developer', at('/accounts/{account}/keys/selected'), 'nothing chosen'),
  ],
  [`${KEY}/calling`]: [one('developer', callersRefreshed, 'filled in anew')],
  [`${KEY}/proof`]: [one('developer', proofRefreshed(KEY), 'filled in anew')],
  [`${STAFF_KEY}/proof`]: [one('support', proofRefreshed(STAFF_KEY), 'filled in anew')],
  [`${KEY}/callers`]: [
    one('developer', at(`${KEY}/callers`)),
    one('developer', inState(`${KEY}/callers`, 'rotating'), 'two secrets'),
    one('developer', inState(`${KEY}/callers`, 'expired'), 'nobody'),
  ],
  [`${KEY}/activity`]: [
    one('developer', at(`${KEY}/activity`)),
    one('developer', at(`${KEY}/activity?range=30d`), '30 days'),
    one('developer', inState(`${KEY}/activity?range=today`, 'expired'), 'nothing'),
  ],
  [`${KEY}/activity.csv`]: [one('developer', downloaded(`${KEY}/activity`), 'downloaded')],
  [`${KEY}/explain`]: [one('viewer', at(`${KEY}/explain`)), one('developer', explained, 'answered')],
  [`${KEY}/edit`]: [
    one('developer', at(`${KEY}/edit`)),
    one('developer', refused(`${KEY}/edit`, 'Save changes', { 'Allowed domains': 'www.example.com, *.com', 'Allowed IPs': '203.0.113.7/24' }), 'refused', { status: 422 }),
  ],
  [`${KEY}/rotate`]: [
    one('developer', at(`${KEY}/rotate`)),
    one('developer', inState(`${KEY}/rotate`, 'rotating'), 'once more'),
  ],
  [`${KEY}/grace`]: [one('developer', inState(`${KEY}/grace`, 'rotating'))],
  [`${KEY}/reveal`]: [one('developer', revealing)],
  [`${KEY}/limits`]: [
    one('viewer', at(`${KEY}/limits`), 'as a viewer'),
    one('owner', refused(`${KEY}/limits`, 'Save limits', { 'Requests a minute': 'many' }), 'refused', { status: 422 }),
  ],
  [`${KEY}/pause`]: [one('developer', at(`${KEY}/pause`))],
  [`${KEY}/delete`]: [one('developer', at(`${KEY}/delete`)), one('developer', refused(`${KEY}/delete`, 'Delete key'), 'refused', { status: 422 })],
  '/staff': [one('support', at('/staff'))],
  '/staff/look-up': [
    one('support', at('/staff/look-up')),
    one('support', refused('/staff/look-up', 'Look up', { 'Key ID or secret': 'key_nothing' }), 'refused', { status: 422 }),
  ],
  [STAFF_KEY]: [
    one('support', at(STAFF_KEY)),
    one('admin', inState(STAFF_KEY, 'disabled'), 'disabled, as an admin'),
    one('admin', inState(STAFF_KEY, 'rotating'), 'rotating, as an admin'),
  ],
  [`${STAFF_KEY}/disable`]: [one('admin', at(`${STAFF_KEY}/disable`)), one('admin', refused(`${STAFF_KEY}/disable`, 'Disable key'), 'refused', { status: 422 })],
  '/preferences': [one('nobody', at('/preferences')), one('developer', menuOpen, 'menu open')],
  '/docs': [one('nobody', at('/docs')), one('developer', at('/docs'), 'signed in')],
  '/docs/get-a-key': [one('nobody', at('/docs/get-a-key'))],
  '/docs/limits': [one('nobody', at('/docs/limits'))],
  '/docs/send-it': [one('nobody', at('/docs/send-it'))],
  '/docs/keep-it-safe': [one('nobody', at('/docs/keep-it-safe'))],
  '/docs/restrict': [one('nobody', at('/docs/restrict'))],
  '/docs/rotate': [one('nobody', at('/docs/rotate'))],
  '/docs/verdicts': [one('nobody', at('/docs/verdicts#KEY_EXPIRED'))],
  '/docs/errors': [one('nobody', at('/docs/errors'))],
  '/docs/words': [one('nobody', at('/docs/words'))],
  '/r/{request_id}': [one('nobody', at('/r/req_0123?verdict=KEY_EXPIRED')), one('nobody', at('/r/req_0123'), 'without a code')],
};
