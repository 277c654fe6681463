"""Reports: one web page that holds all it shows, so that it opens from the disk and can be sent to a friend.

``song`` and ``dataset`` say what is on a page; ``players``, ``pictures`` and ``page`` how it gets there.
"""

from .dataset import best_and_worst, dataset_report
from .page import write
from .references import read_references
from .song import song_report

__all__ = ["best_and_worst", "dataset_report", "read_references", "song_report", "write"]
