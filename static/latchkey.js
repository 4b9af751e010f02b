// Enhancement only: every page works without this file.
(() => {
  const live = document.getElementById('live');
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const say = text => {
    if (!live) return;
    live.textContent = '';
    requestAnimationFrame(() => { live.textContent = text; });
  };

  // Copy: data-copy="#id" copies that element's text, data-copy-text="…" the text itself.
  const copy = async button => {
    const from = button.dataset.copy && document.querySelector(button.dataset.copy);
    const text = from ? from.textContent.trim() : button.dataset.copyText;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      if (from) getSelection().selectAllChildren(from);
      say(from ? 'The browser blocks copying. The text is selected: copy it.' : 'The browser blocks copying. Select the text and copy it.');
      return;
    }
    say('Copied');
    const use = button.querySelector('use');
    if (!use || button.classList.contains('done')) return;
    const was = use.getAttribute('href');
    button.classList.add('done');
    use.setAttribute('href', was.replace(/#.*/, '#check'));
    setTimeout(() => { button.classList.remove('done'); use.setAttribute('href', was); }, 1600);
  };

  document.addEventListener('click', event => {
    const button = event.target.closest('[data-copy],[data-copy-text]');
    if (button) copy(button);
    for (const menu of all('.menu[open]')) if (!menu.contains(event.target)) menu.open = false;
  });

  document.addEventListener('keydown', event => {
    if (event.key === 'Escape') {
      const menu = document.querySelector('.menu[open]');
      if (menu) { menu.open = false; menu.firstElementChild.focus(); }
    }
    const typing = event.target.closest('input,textarea,select,[contenteditable]');
    if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const filter = document.querySelector('[data-filter]');
      if (filter) { event.preventDefault(); filter.focus(); filter.select(); }
    }
  });

  // Filter: <input data-filter="#keys tbody tr"> hides the rows that do not hold what is typed; [data-none] shows when none is left.
  for (const input of all('[data-filter]')) {
    const rows = all(input.dataset.filter);
    const none = document.querySelector('[data-none]');
    const filter = () => {
      const wanted = input.value.trim().toLowerCase();
      let shown = 0;
      for (const row of rows) {
        row.hidden = !row.textContent.toLowerCase().includes(wanted);
        shown += !row.hidden;
      }
      if (none) none.hidden = shown > 0;
      say(shown + ' shown');
    };
    input.addEventListener('input', filter);
    if (input.value) filter();
  }

  // Times: the title holds the exact time of the page's zone; add the reader's own.
  const localise = root => {
    for (const time of all('time[datetime]', root)) {
      const at = new Date(time.dateTime);
      if (isNaN(at) || !time.dateTime.includes('T') || time.dataset.own) continue;
      time.dataset.own = '1';
      time.title += '\n' + at.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'long' }) + ' (your time)';
    }
  };
  localise(document);

  // Charts: <svg class="chart" data-out="id">; pointing at a day prints its data-t there.
  for (const chart of all('.chart[data-out]')) {
    const out = document.getElementById(chart.dataset.out);
    if (!out) continue;
    const first = out.textContent;
    chart.addEventListener('pointerover', event => { out.textContent = event.target.dataset.t || first; });
    chart.addEventListener('pointerleave', () => { out.textContent = first; });
  }

  // Fresh parts: <div data-fresh="/path" data-every="3" data-for="600"> is filled anew from there every so many seconds, for so
  // many seconds, until the answer is no fragment any more or holds [data-done].
  for (const part of all('[data-fresh]')) {
    const every = (Number(part.dataset.every) || 3) * 1000;
    const end = Date.now() + (Number(part.dataset.for) || 600) * 1000;
    const look = async () => {
      if (Date.now() > end) return;
      if (!document.hidden && !part.contains(document.activeElement)) {
        try {
          const answer = await fetch(part.dataset.fresh, { headers: { Accept: 'text/html' } });
          if (!answer.ok || answer.redirected) return;
          const html = await answer.text();
          if (html.trim() !== part.dataset.last) {
            part.dataset.last = html.trim();
            part.innerHTML = html;
            localise(part);
          }
          if (part.querySelector('[data-done]')) return;
        } catch { /* out of touch for a moment: the next look may succeed */ }
      }
      setTimeout(look, every);
    };
    setTimeout(look, every);
  }

  // Errors: after a refused form the summary is read first.
  const errors = document.getElementById('errors');
  if (errors) errors.focus();
})();
