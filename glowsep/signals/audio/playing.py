"""Sounds for a web page or a notebook: compressed, and inside the page itself."""

import base64
import io

import numpy as np
import soundfile

#: Of full scale: the highest sample to compress, which leaves room for the ripples of compression.
PEAK = 0.9

#: Samples compressed at once: libsndfile's Vorbis encoder keeps a whole block on its stack.
BLOCK = 1 << 14


def data_url(waveform: np.ndarray, rate: int) -> str:
    """A waveform as a URL that holds all of it: an MP3 file, or Ogg Vorbis if soundfile cannot write MP3.

    Parameters
    ----------
    waveform : numpy.ndarray, (channels, samples)
        One or two channels, within full scale.
    rate : int
        Hz; one that MP3 knows.

    Examples
    --------
    >>> data_url(np.zeros((1, 8000)), 8000)[:10]
    'data:audio'
    """
    form, kind = ("MP3", "mpeg") if "MP3" in soundfile.available_formats() else ("OGG", "ogg")
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", rate, len(waveform), format=form) as encoder:
        for start in range(0, waveform.shape[1], BLOCK):
            encoder.write(waveform[:, start : start + BLOCK].T)
    return f"data:audio/{kind};base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
