"""Reports: one web page that holds all it shows, so that it opens from the disk and can be sent to a friend.

``song`` and ``dataset`` say what is on a page; ``players``, ``pictures`` and ``page`` how it gets there.
"""

from glowsep.report.dataset import best_and_worst, dataset_report
from glowsep.report.references import read_references
from glowsep.report.song import song_report

__all__ = ["best_and_worst", "dataset_report", "read_references", "song_report"]
