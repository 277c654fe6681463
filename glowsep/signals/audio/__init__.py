"""Audio files, in and out (chapter 1): a file is read whole or refused, and written whole or not at all."""

from glowsep.signals.audio.reading import Info, check, info, read, segments
from glowsep.signals.audio.stems import Stems
from glowsep.signals.audio.writing import StemWriter, write

__all__ = ["Info", "StemWriter", "Stems", "check", "info", "read", "segments", "write"]
