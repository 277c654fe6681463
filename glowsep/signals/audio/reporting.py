"""What went wrong with writing an audio file, as one line that names it and says what to do."""

import errno
from contextlib import contextmanager

import soundfile

from glowsep.errors import AudioError

NO_SPACE = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))


@contextmanager
def reporting(path):
    """Turn the errors of the system and of libsndfile into an `AudioError` about ``path``."""
    try:
        yield
    except IsADirectoryError as error:
        raise AudioError(f"{error.filename}: is a folder, but a file is to be written here; move it") from None
    except FileNotFoundError:
        raise AudioError(f"{path}: its folder does not exist; make it first") from None
    except OSError as error:
        if error.errno in NO_SPACE:
            raise AudioError(f"{path}: the disk is full; free some space or choose another folder") from None
        raise AudioError(
            f"{path}: cannot be written ({error.strerror}); choose a folder that you may write to"
        ) from None
    except soundfile.SoundFileError as error:
        raise AudioError(f"{path}: cannot be written ({str(error).strip()}); is the disk full?") from None
