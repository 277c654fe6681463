
// The buttons of the page's players. wavesurfer-multitrack draws the tracks and plays them; WebAudioPlayer, of the same
// package, holds each of them decoded, on one clock.

const TRACK_HEIGHT = 104;
const NARROWEST = 160; // pixels: the tracks cannot become narrower than they are when they are made

for (const element of document.querySelectorAll('.player')) build(element);

function build(element) {
  const find = (selector) => element.querySelector(selector);
  const { rate, tracks } = JSON.parse(find('script').textContent);
  const context = new AudioContext({ sampleRate: rate });
  const container = find('.tracks');
  container.style.width = `${NARROWEST}px`;
  const multitrack = Multitrack.create(
    tracks.map((track, index) => ({
      id: index,
      url: track.url,
      startPosition: 0,
      volume: track.muted ? 0 : 1,
      peaks: [track.peaks],
      options: {
        media: new WebAudioPlayer(context),
        height: TRACK_HEIGHT,
        waveColor: track.colour,
        progressColor: track.colour,
      },
    })),
    {
      container,
      cursorColor: 'var(--ink)',
      cursorWidth: 2,
      trackBackground: 'var(--track)',
      trackBorderColor: 'transparent',
    },
  );
  element.multitrack = multitrack; // for the browser's console, and for tests
  keepInStep(multitrack, context);
  addMixer(element, multitrack, tracks);
  multitrack.once('canplay', () => {
    addTransport(element, multitrack);
    container.style.width = '';
    new ResizeObserver(() => fit(multitrack, container)).observe(container);
  });
}

// Makes the tracks as wide as there is room.
function fit(multitrack, container) {
  const pixelsPerSecond = container.clientWidth / multitrack.maxDuration;
  multitrack.zoom(pixelsPerSecond);
  multitrack.zoom(pixelsPerSecond); // the library draws the time scale before it widens the tracks: now it fits them
}

// Starts all tracks on the same sample: while the clock stands still, whatever the order in which they are started.
function keepInStep(multitrack, context) {
  const start = multitrack.play.bind(multitrack);
  const place = multitrack.setTime.bind(multitrack);
  multitrack.play = async () => {
    await context.suspend();
    cancelAnimationFrame(multitrack.frameRequest); // or each start adds another loop that moves the cursor
    start();
    await context.resume();
  };
  multitrack.setTime = (time) => {
    const playing = multitrack.isPlaying();
    multitrack.pause();
    place(time);
    for (const audio of multitrack.audios) audio.currentTime = time; // the library lets jumps under 0.3 s pass
    if (playing) multitrack.play();
  };
  multitrack.seekTo = (part) => multitrack.setTime(part * multitrack.maxDuration);
}

// Solo, mute and volume: as long as a track is on solo, it alone is heard, muted or not. And its download.
function addMixer(element, multitrack, tracks) {
  const strips = [...element.querySelectorAll('.strips li')];
  const muted = tracks.map((track) => track.muted);
  const volumes = tracks.map(() => 1);
  let solo = null;
  const update = () =>
    strips.forEach((strip, index) => {
      const heard = solo === null ? !muted[index] : solo === index;
      strip.querySelector('.solo').setAttribute('aria-pressed', solo === index);
      strip.querySelector('.mute').setAttribute('aria-pressed', muted[index]);
      strip.classList.toggle('silent', !heard);
      if (multitrack.audios[index]) multitrack.setTrackVolume(index, heard ? volumes[index] : 0);
    });
  strips.forEach((strip, index) => {
    strip.querySelector('.solo').addEventListener('click', () => {
      solo = solo === index ? null : index;
      update();
    });
    strip.querySelector('.mute').addEventListener('click', () => {
      muted[index] = !muted[index];
      update();
    });
    strip.querySelector('.volume').addEventListener('input', (event) => {
      volumes[index] = Number(event.target.value) ** 2; // squared, half of the way sounds about half as loud
      update();
    });
    strip.querySelector('.download').href = tracks[index].url;
  });
  multitrack.once('canplay', update);
  update();
}

function addTransport(element, multitrack) {
  const play = element.querySelector('.play');
  const seek = element.querySelector('.seek');
  const time = element.querySelector('.time');
  const duration = multitrack.maxDuration;
  play.disabled = seek.disabled = false;
  play.addEventListener('click', () => {
    if (multitrack.isPlaying()) return multitrack.pause();
    for (const other of document.querySelectorAll('.player')) if (other !== element) other.multitrack.pause();
    if (multitrack.getCurrentTime() >= duration) multitrack.setTime(0);
    multitrack.play();
  });
  seek.addEventListener('input', () => multitrack.seekTo(Number(seek.value)));
  const update = () => {
    const now = Math.min(multitrack.getCurrentTime(), duration);
    play.textContent = multitrack.isPlaying() ? 'Pause' : 'Play';
    time.textContent = `${clock(now)} / ${clock(duration)}`;
    if (document.activeElement !== seek || multitrack.isPlaying()) seek.value = now / duration;
    seek.setAttribute('aria-valuetext', clock(now));
    requestAnimationFrame(update);
  };
  update();
}

function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
