"""The course for nbgrader: every chapter is an assignment of its own, under the chapter's name.

    cd course
    nbgrader generate_assignment 06_actnorm     release/06_actnorm: without solutions, for the students
    nbgrader autograde 06_actnorm               from submitted/STUDENT/06_actnorm/06_actnorm.ipynb
    nbgrader generate_feedback 06_actnorm       feedback/STUDENT/06_actnorm/06_actnorm.html

nbgrader reads this file before every command. The file puts a copy of each chapter where nbgrader looks for it,
``source/NAME/NAME.ipynb``; a copy that you have edited since is yours and stays as it is. To keep a course elsewhere,
copy this file into an empty folder and run nbgrader there.
"""

import os
import shutil
from pathlib import Path

from glowsep.assignments import REPOSITORY

c = get_config()  # noqa: F821 (nbgrader defines it)

here = Path(__file__).resolve().parent
c.CourseDirectory.root = str(here)
c.CourseDirectory.course_id = "glowsep"

for chapter in sorted((REPOSITORY / "chapters").glob("[0-9][0-9]_*.ipynb")):
    copy = here / "source" / chapter.stem / chapter.name
    if not copy.exists() or copy.stat().st_mtime < chapter.stat().st_mtime:
        copy.parent.mkdir(parents=True, exist_ok=True)
        partial = copy.with_name(f".partial.{os.getpid()}")
        shutil.copy2(chapter, partial)
        os.replace(partial, copy)

c.Execute.timeout = 600  # seconds per cell: chapters 10 and 15 train
