// The search: every section that holds all of the words, the best first, each with an excerpt.

const LONGEST = 30; // sections shown
const AROUND = 90; // characters of an excerpt before and after the first word found
const WEIGHTS = { title: 8, heading: 12, text: 3, code: 1 };

// Lower case and without accents, so that "Fevotte" finds "Févotte"; letter by letter, so that places stay the same.
const plain = (text) => [...text].map((letter) => letter.normalize('NFD')[0].toLowerCase()).join('');

const sections = window.BOOK_SECTIONS.map((section) => ({
  ...section,
  found: Object.fromEntries(Object.keys(WEIGHTS).map((part) => [part, plain(section[part])])),
}));
const input = document.querySelector('.book-search input');

// Where a word begins within a text: at the beginning of one of its words, or else anywhere.
function place(text, word) {
  for (let start = text.indexOf(word); start >= 0; start = text.indexOf(word, start + 1))
    if (!start || !/[\p{L}\p{N}]/u.test(text[start - 1])) return start;
  return text.indexOf(word);
}

function search(words) {
  const results = [];
  for (const section of sections) {
    let score = 0;
    const all = words.every((word) => {
      let best = 0;
      for (const [part, weight] of Object.entries(WEIGHTS)) {
        const start = place(section.found[part], word);
        if (start < 0) continue;
        const begins = !start || !/[\p{L}\p{N}]/u.test(section.found[part][start - 1]);
        const often = Math.min(section.found[part].split(word).length - 1, 5) / 5;
        best = Math.max(best, weight * (begins ? 1 + often : 0.2));
      }
      score += best;
      return best > 0;
    });
    if (all) results.push({ section, score });
  }
  return results.sort((a, b) => b.score - a.score);
}

function excerpt(section, words) {
  const part = ['text', 'code'].find((part) => words.some((word) => section.found[part].includes(word))) ?? 'text';
  const text = section[part];
  const places = words.map((word) => place(section.found[part], word)).filter((start) => start >= 0);
  const first = places.length ? Math.min(...places) : 0;
  let start = Math.max(0, first - AROUND);
  if (start) start = text.indexOf(' ', start) + 1 || start;
  let end = Math.min(text.length, first + 2 * AROUND);
  if (end < text.length) end = Math.max(text.lastIndexOf(' ', end), first + 1);
  const element = document.createElement(part === 'code' ? 'code' : 'p');
  if (start) element.append('… ');
  mark(element, text.slice(start, end), section.found[part].slice(start, end), words);
  if (end < text.length) element.append(' …');
  return element;
}

// Appends a text with the words in it marked.
function mark(element, text, found, words) {
  let from = 0;
  while (from < text.length) {
    const next = words
      .map((word) => ({ word, start: found.indexOf(word, from) }))
      .filter(({ start }) => start >= 0)
      .sort((a, b) => a.start - b.start || b.word.length - a.word.length)[0];
    if (!next) break;
    element.append(text.slice(from, next.start));
    const marked = document.createElement('mark');
    marked.textContent = text.slice(next.start, next.start + next.word.length);
    element.append(marked);
    from = next.start + next.word.length;
  }
  element.append(text.slice(from));
}

function item(section, words) {
  const element = document.createElement('li');
  const link = document.createElement('a');
  link.href = section.page + (section.anchor ? `#${section.anchor}` : '');
  mark(link, section.heading, section.found.heading, words);
  element.append(link);
  if (section.heading !== section.title) {
    const page = document.createElement('span');
    page.className = 'search-page';
    page.textContent = section.title;
    element.append(page);
  }
  element.append(excerpt(section, words));
  return element;
}

function show() {
  const words = [...new Set(plain(input.value).split(/\s+/).filter(Boolean))];
  const results = words.length ? search(words) : [];
  const list = document.getElementById('search-results');
  list.replaceChildren(...results.slice(0, LONGEST).map(({ section }) => item(section, words)));
  const count = results.length === 1 ? '1 section' : `${results.length} sections`;
  const shown = results.length > LONGEST ? `, of which the first ${LONGEST} are here` : '';
  document.getElementById('search-summary').textContent = words.length ? count + shown : '';
}

input.value = new URLSearchParams(location.search).get('q') ?? '';
input.addEventListener('input', () => {
  const query = input.value ? `?q=${encodeURIComponent(input.value)}` : '';
  try {
    history.replaceState(null, '', location.pathname + query);
  } catch {} // some browsers allow no change of a page's address that is on the disk
  show();
});
input.form.addEventListener('submit', (event) => event.preventDefault());
input.focus();
show();
