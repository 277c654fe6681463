// Starts reveal.js once the formulas are set, and makes the text of a slide smaller that would not fit.
const SIZE = { width: 1280, height: 720 };
const SMALLEST = 0.5; // of the usual size of text

function fit(slide) {
  let size = 1;
  while (slide.scrollHeight > SIZE.height && size > SMALLEST) {
    size -= 0.05;
    slide.style.fontSize = `${size}em`;
  }
  const images = [...slide.querySelectorAll('img')];
  while (slide.scrollHeight > SIZE.height && images.length && images[0].clientHeight > 100) {
    images.forEach((image) => { image.style.maxHeight = `${image.clientHeight - 20}px`; });
  }
}

function fitAll() {
  for (const slide of document.querySelectorAll('.slides section section')) {
    const shown = [slide, slide.parentElement].map((element) => [element, element.style.cssText, element.hidden]);
    shown.forEach(([element]) => { element.hidden = false; element.style.display = 'block'; });
    fit(slide);
    const size = slide.style.fontSize;
    shown.forEach(([element, text, hidden]) => { element.style.cssText = text; element.hidden = hidden; });
    slide.style.fontSize = size;
  }
}

window.ready = (async () => {
  await MathJax.startup.promise;
  await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
  await Reveal.initialize({ ...SIZE, margin: 0.02, center: false, hash: true, slideNumber: 'c/t', transition: 'none',
    plugins: [RevealNotes] });
  fitAll();
  Reveal.layout();
})();
