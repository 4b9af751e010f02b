// The one deadline of every promise in time: asked again until it holds, or failed after 10 s. Knows nothing of what is asked.

import { setTimeout as pause } from 'node:timers/promises';

export async function soon(what, ask, most = 10_000) {
  const end = Date.now() + most;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`not within ${most / 1000} s: ${what}`);
    await pause(50);
  }
}
