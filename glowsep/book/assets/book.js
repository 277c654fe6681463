// What the book's pages do: one player sounds at a time, code that is wider than the page continues indented, and no
// line begins with the full stop after a formula.

document.addEventListener(
  'play',
  (event) => {
    for (const player of document.querySelectorAll('audio')) if (player !== event.target) player.pause();
  },
  true, // the event does not bubble
);

document.addEventListener('DOMContentLoaded', () => {
  for (const code of document.querySelectorAll('.highlight-ipython3 pre, .highlight-python pre')) {
    const lines = code.innerHTML.replace(/\n$/, '').split('\n');
    code.innerHTML = lines
      .map((line) => `<span class="code-line" style="--indent: ${indentation(line)}ch">${line}\n</span>`)
      .join('');
  }
});

document.addEventListener('DOMContentLoaded', () => {
  for (const formula of document.querySelectorAll('span.math')) {
    const next = formula.nextSibling;
    const mark = next instanceof Text && next.data.match(/^[.,;:!?)]+/)?.[0];
    if (!mark || formula.textContent.length > 40) continue; // a long formula may need the whole line
    const together = document.createElement('span');
    together.className = 'formula-and-mark';
    next.data = next.data.slice(mark.length);
    formula.replaceWith(together);
    together.append(formula, mark);
  }
});

// The spaces with which a line begins, whatever elements are around them.
function indentation(line) {
  return line.replace(/<[^>]*>/g, '').match(/^ */)[0].length;
}
