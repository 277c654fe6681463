// What the book's pages do: one player sounds at a time, and code that is wider than the page continues indented.

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

// The spaces with which a line begins, whatever elements are around them.
function indentation(line) {
  return line.replace(/<[^>]*>/g, '').match(/^ */)[0].length;
}
