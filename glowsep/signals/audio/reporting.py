"""Chapter 1: audio files, in and out. A file is read whole or refused, and written whole or not at all."""

import errno
from contextlib import contextmanager

import soundfile

from glowsep.errors import AudioError


@contextmanager
def reporting(path):
    """What the system says went wrong with writing, as one line that names ``path``."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)):
            remedy = "the disk is full; free some space or choose another folder"
        elif isinstance(error, FileNotFoundError):
            remedy = "its folder does not exist; make it first"
        else:
            remedy = f"cannot be written ({error.strerror}); choose a folder that you may write to"
        raise AudioError(f"{path}: {remedy}") from None
    except soundfile.SoundFileError as error:
        raise AudioError(f"{path}: cannot be written ({str(error).strip()}); is the disk full?") from None
