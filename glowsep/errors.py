"""The errors a caller may want to catch. Each message is one line that names the file and the remedy."""


class GlowsepError(Exception):
    """Base of all errors about files: audio, priors and data sets."""


class AudioError(GlowsepError):
    """An audio file that cannot be read or written."""


class PriorError(GlowsepError):
    """A file of weights or a checkpoint that cannot be read, or does not fit."""


class DatasetError(GlowsepError):
    """A data set whose folder does not hold what its layout promises."""


class ClusterError(GlowsepError):
    """A Dask cluster that cannot be reached, or a task that failed there."""


class BookError(GlowsepError):
    """A book that cannot be built from the chapters, or not where it is to go."""
