"""The course as teachers and students use it: nbgrader hands out every chapter, grades it, and gives it back.

Takes minutes, so it is run only where it is named; all chapters, or some:

    pip install -e ".[teach]"
    python -m pytest tests/test_chapters.py
    python -m pytest tests/test_chapters.py -k 06        # chapter 6 alone

What holds for a notebook without running it is in tests/test_notebooks.py. For every chapter, in a course of its own:

- ``nbgrader generate_assignment`` makes the students' version. The student *blank* hands it in as it is: no error but
  NotImplementedError may happen anywhere, and every exercise is worth nothing.
- The student *solution* hands in the chapter as it stands, and gets full marks. Just before each answer this student
  tries the wrong ones, those of tests/wrong_answers/chapter_NN.py: each must fail in the exercise's tests, hidden ones
  included, with the message expected there.
- ``nbgrader autograde`` runs each of the two notebooks once; ``nbgrader generate_feedback`` writes a page for each.
- Exercises that are answered by nothing (an empty class, a misspelt name, a syntax error, a deleted cell, the cell of
  the exercise before) get no points and a message that says so; the others keep theirs: see tests/non_answers.py.
- Exercises with parts that are answered partly right get the points of the parts that are: the answers, their points
  and what is said of the rest are in tests/wrong_answers, too.
- What the other cells show is the same in both: no cell depends on a student's answer, and nothing on chance.
  A cell whose output may differ, since it tells a time, has the tag "varies".

Tests begin with ``check.own``. Where an answer is a variable, not a function, its cell starts with
``the_variable = None`` before the solution: for None, ``own`` raises a NotImplementedError.
"""

import copy
import functools
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import nbformat
import non_answers
import pytest
from notebooks import CHAPTERS, REPOSITORY, exercises, grading, partly_right, read, wrong_answers

pytest.importorskip("nbgrader", reason='needs nbgrader: pip install -e ".[teach]"')
from nbgrader.api import Gradebook  # noqa: E402 (after the check that it is there)
from nbgrader.apps import AutogradeApp, GenerateAssignmentApp  # noqa: E402

CPU_SECONDS = {"10": 240, "15": 240}  # those that train
SHORT = 60
LONGEST = ("01", "03", "10", "12", "14", "15")  # to be begun first: so no core waits for another at the end
WRONG = [
    pytest.param(chapter, exercise, place, id=f"{chapter}-{exercise}-{place}")
    for chapter in CHAPTERS
    for exercise, answers in wrong_answers(chapter).items()
    for place in range(len(answers))
]
PARTLY = [
    pytest.param(chapter, exercise, place, id=f"{chapter}-{exercise}-{place}")
    for chapter in CHAPTERS
    for exercise, answers in partly_right(chapter).items()
    for place in range(len(answers))
]
EXERCISES = [
    pytest.param(chapter, exercise.name, id=f"{chapter}-{exercise.name}")
    for chapter in CHAPTERS
    for exercise in exercises(read(chapter))
]


NOTHING = r"(CheckError|AssertionError): .*(defines no `[\w.]+` of its own|returns nothing|is None)"


class Graded(NamedTuple):
    """What came of a chapter: two graded notebooks, the grades, and what the solution's run cost."""

    solution: nbformat.NotebookNode
    blank: nbformat.NotebookNode
    grades: dict  # by student: {grade_id: (automatic score, highest score, whether a teacher is to look at it)}
    cpu_seconds: float
    feedback: dict  # by student: HTML


@pytest.fixture(scope="session")
def graded(request, tmp_path_factory):
    """By chapter, a future of its `Graded`: all chapters that the run asks for are worked on side by side."""
    course = tmp_path_factory.mktemp("course")
    shutil.copy(REPOSITORY / "course" / "nbgrader_config.py", course)
    items = [item for item in request.session.items if "graded" in item.fixturenames]
    wanted = sorted({item.callspec.params["chapter"] for item in items}, key=lambda name: name[:2] not in LONGEST)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield {chapter: pool.submit(grade, course, chapter) for chapter in wanted}


def grade(course, chapter):
    """The way of a chapter from the teacher to two students and back."""
    nbgrader(course, chapter, "generate_assignment")
    hand_in(course, chapter, "blank", nbformat.read(course / "release" / chapter / f"{chapter}.ipynb", 4))
    hand_in(course, chapter, "solution", with_wrong_answers(chapter))
    cpu_seconds = nbgrader(course, chapter, "autograde", "--student", "solution")
    nbgrader(course, chapter, "autograde", "--student", "blank")
    nbgrader(course, chapter, "generate_feedback")
    return Graded(
        *(
            nbformat.read(course / "autograded" / student / chapter / f"{chapter}.ipynb", 4)
            for student in ("solution", "blank")
        ),
        grades={student: grades(course / f"{chapter}.db", chapter, student) for student in ("solution", "blank")},
        cpu_seconds=cpu_seconds,
        feedback={
            student: (course / "feedback" / student / chapter / f"{chapter}.html").read_text(encoding="utf-8")
            for student in ("solution", "blank")
        },
    )


@pytest.fixture(scope="session", autouse=True)
def begun(request):
    """Chapters are graded in the background from the beginning, while the tests that need none of that run."""
    if any("graded" in item.fixturenames for item in request.session.items):
        request.getfixturevalue("graded")


@pytest.fixture(scope="session")
def answered_by_nothing(tmp_path_factory):
    """By chapter, worked on when somebody asks: {trial: (errors, text, grade as in `Graded`)}."""
    course = tmp_path_factory.mktemp("nothing")
    shutil.copy(REPOSITORY / "course" / "nbgrader_config.py", course)
    return functools.cache(functools.partial(grade_nothing, course))


def grade_nothing(course, chapter):
    assignment, submission = non_answers.notebooks(chapter)
    source = course / "source" / chapter / f"{chapter}.ipynb"
    source.parent.mkdir(parents=True, exist_ok=True)  # the configuration puts copies of all chapters there
    nbformat.write(assignment, source)
    nbgrader_in_here(course, chapter, GenerateAssignmentApp)
    hand_in(course, chapter, "nobody", submission)
    nbgrader_in_here(course, chapter, AutogradeApp)
    graded = nbformat.read(course / "autograded" / "nobody" / chapter / f"{chapter}.ipynb", 4)
    found = {grading(cell)["grade_id"]: (errors(cell), shown(cell)[0]) for cell in graded.cells if grading(cell)}
    scores = grades(course / "gradebook.db", chapter, "nobody")
    names = {trial: f"{trial.name}-tests" for trial in non_answers.trials(chapter)}
    return {trial: (*found[name], scores[name]) for trial, name in names.items()}


def nbgrader_in_here(course, chapter, command):
    """One of nbgrader's commands in this process: to import nbgrader takes longer than to grade a small notebook."""
    app = command.instance()
    here = os.getcwd()
    os.chdir(course)  # where it looks for its configuration
    try:
        app.initialize([chapter])
        app.start()
    finally:
        os.chdir(here)
        command.clear_instance()


MISHAP = "06_actnorm"


def mishaps(notebook):
    """What happens to a notebook whose answers are right: a dict of student to notebook."""

    def first(cells, key):
        return next(place for place, cell in enumerate(cells) if grading(cell).get(key))

    students = {name: copy.deepcopy(notebook) for name in ("anna", "copies", "tests", "deletes", "all", "loops", "zoe")}
    for name, key in (("copies", "solution"), ("tests", "grade")):
        cells = students[name].cells
        place = first(cells, key)
        cells.insert(place, copy.deepcopy(cells[place]))
        cells[place].id = "a-copy"
    del students["deletes"].cells[first(students["deletes"].cells, "grade")]
    cells = students["all"].cells
    name = grading(cells[first(cells, "solution")])["grade_id"]
    students["all"].cells = cells[: first(cells, "solution")] + cells[first(cells, "grade") + 1 :]
    cells = students["loops"].cells
    cells[first(cells, "solution")].source = "while True:\n    pass"
    assert name not in [grading(cell).get("grade_id") for cell in students["all"].cells]
    return students


def test_one_student_s_mishap_costs_nobody_else_anything(tmp_path):
    """Copied and deleted cells, and a loop without an end, which takes a minute."""
    shutil.copy(REPOSITORY / "course" / "nbgrader_config.py", tmp_path)
    nbgrader(tmp_path, MISHAP, "generate_assignment")
    for student, notebook in mishaps(read(MISHAP)).items():
        hand_in(tmp_path, MISHAP, student, notebook)
    began = time.monotonic()
    nbgrader(tmp_path, MISHAP, "autograde")
    assert time.monotonic() - began < 60 + 600
    found = {student: grades(tmp_path / f"{MISHAP}.db", MISHAP, student) for student in mishaps(read(MISHAP))}
    whole = found.pop("anna")
    assert all(score == highest and not manual for score, highest, manual in whole.values())
    for student in ("zoe", "copies", "tests", "deletes"):
        assert found.pop(student) == whole, student
    for student, scores in found.items():  # one exercise is lost, and only that
        lost = [name for name, (score, highest, _) in scores.items() if score != highest]
        assert len(lost) == 1 and scores[lost[0]][0] == 0, student
        assert scores.keys() == whole.keys() and not any(manual for _, _, manual in scores.values())
    restored, loops = (
        nbformat.read(tmp_path / "autograded" / student / MISHAP / f"{MISHAP}.ipynb", 4).cells
        for student in ("all", "loops")
    )
    place = next(place for place, cell in enumerate(restored) if "was missing from the submission" in cell.source)
    assert "### Exercise 1: " in restored[place - 1].source
    said = [error for cell in loops for error in errors(cell)]
    assert any("ran for more than 60 s, and was interrupted: is there a loop without an end?" in text for text in said)


def test_a_copy_that_a_teacher_has_edited_stays(tmp_path):
    """Whatever happens to the chapter's date; an unchanged copy follows the chapter."""
    repository = tmp_path / "repository"
    for folder in ("chapters", "course"):
        (repository / folder).mkdir(parents=True)
    for name in ("06_actnorm", "07_invertible_convolution"):
        shutil.copy(REPOSITORY / "chapters" / f"{name}.ipynb", repository / "chapters")
    config = (REPOSITORY / "course" / "nbgrader_config.py").read_text(encoding="utf-8")
    course = repository / "course"
    config = config.replace("from glowsep.assignments import REPOSITORY\n", f"REPOSITORY = Path({str(repository)!r})\n")
    (course / "nbgrader_config.py").write_text(config, encoding="utf-8")

    def any_command():
        command = [sys.executable, "-m", "nbgrader", "db", "assignment", "list"]
        return subprocess.run(command, cwd=course, capture_output=True, text=True, check=True).stderr

    any_command()
    chapters = sorted((repository / "chapters").iterdir())
    edited, plain = (course / "source" / path.stem / path.name for path in chapters)
    assert edited.read_bytes() == chapters[0].read_bytes()
    edited.write_text("my own exercise")
    later = time.time() + 100
    for path in chapters:
        os.utime(path, (later, later))
    assert str(edited) not in any_command()  # the chapter is the same as before: nothing to say
    for path in chapters:
        path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    for _ in range(2):
        said = any_command()
        assert f"{edited}: the chapter has changed since, but so has this copy, which stays" in said
        assert str(plain) not in said
        assert edited.read_text() == "my own exercise"
        assert plain.read_bytes() == chapters[1].read_bytes()
    edited.unlink()
    any_command()
    assert edited.read_bytes() == chapters[0].read_bytes()
    shutil.rmtree(course / ".copied")  # copies that an older version made: only those like the chapter are known
    edited.write_text("of last year")
    chapters[1].write_text(chapters[1].read_text(encoding="utf-8") + "\n", encoding="utf-8")
    old = plain.read_bytes()
    said = any_command()
    assert str(edited) in said and str(plain) in said
    assert edited.read_text() == "of last year" and plain.read_bytes() == old


def nbgrader(course, chapter, command, *options):
    """Run one of nbgrader's commands as a teacher does; returns the CPU seconds that it and its kernel took."""
    log = course / f"{chapter}-{command}{''.join(options)}.log"
    # A gradebook for each chapter: they are worked on at the same time.
    options = [*options, "--db", f"sqlite:///{course / chapter}.db"]
    # One thread each, as many chapters are worked on as there are cores: threads that wait for each other are slow.
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "nbgrader", command, chapter, *options],
            cwd=course, env=environment, stdout=out, stderr=out,
        )  # fmt: skip
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"nbgrader {command} {chapter} failed:\n{log.read_text()[-3000:]}"
    return usage.ru_utime + usage.ru_stime


def hand_in(course, chapter, student, notebook):
    folder = course / "submitted" / student / chapter
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / f"{chapter}.ipynb")


def with_wrong_answers(chapter):
    """The chapter; before each answer its wrong ones, each with a copy of the exercise's tests after it."""
    notebook = read(chapter)
    tests_of = {exercise.name: exercise.tests.source for exercise in exercises(notebook)}
    cells = []
    for cell in notebook.cells:
        name = grading(cell).get("grade_id")
        if name in tests_of:
            for place, (code, _) in enumerate(wrong_answers(chapter).get(name, [])):
                cells += [
                    nbformat.v4.new_code_cell(code, id=trial_id("wrong", name, place)),
                    nbformat.v4.new_code_cell(tests_of[name], id=trial_id("tests", name, place)),
                ]
        cells.append(cell)
    notebook.cells = cells
    return notebook


def trial_id(kind, exercise, place):
    return f"trial-{kind}-{exercise}-{place}"[:64]


def grades(database, chapter, student):
    with Gradebook(f"sqlite:///{database}") as gradebook:
        (notebook,) = gradebook.find_submission(chapter, student).notebooks
        return {
            grade.name: (grade.auto_score, grade.max_score, bool(grade.needs_manual_grade)) for grade in notebook.grades
        }


def errors(cell):
    """The errors that a cell ended in, each as one text without colours."""
    return [
        re.sub(r"\x1b\[[0-9;]*m", "", f"{output.ename}: {output.evalue}")
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    ]


def shown(cell):
    """What a cell shows: its texts and its markup."""
    outputs = cell.get("outputs", [])
    texts = [output.text for output in outputs if output.output_type == "stream" and output.name == "stdout"]
    return "".join(texts), [output.data["text/html"] for output in outputs if "text/html" in output.get("data", {})]


@pytest.mark.parametrize(("chapter", "exercise"), EXERCISES)
def test_nothing_is_no_answer_and_the_others_keep_their_points(chapter, exercise, answered_by_nothing):
    graded = {trial: result for trial, result in answered_by_nothing(chapter).items() if trial.exercise == exercise}
    assert {trial.way for trial in graded} >= {*non_answers.KINDS, non_answers.RIGHT}
    for trial, (found, _, (score, highest, manual)) in graded.items():
        assert not manual
        if trial.way.startswith(non_answers.PARTLY):
            continue  # the next test
        if trial.way == non_answers.RIGHT:
            assert (score, found) == (highest, []), trial
        else:
            assert score == 0, f"full marks for nothing: {trial}"
            assert re.match(NOTHING, found[0]), f"{trial}: {found[0]}"


@pytest.mark.parametrize(("chapter", "exercise", "place"), PARTLY)
def test_what_is_partly_right_gets_the_points_of_its_parts(chapter, exercise, place, answered_by_nothing):
    trial = non_answers.Trial("tries", exercise, f"{non_answers.PARTLY}{place}")
    found, text, (score, highest, manual) = answered_by_nothing(chapter)[trial]
    _, points, pattern = partly_right(chapter)[exercise][place]
    assert (found, score, manual) == ([], points, False) and 0 < points < highest
    assert re.search(pattern, text)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_solutions_run_and_get_full_marks(chapter, graded):
    result = graded[chapter].result()
    ordinary = [cell for cell in result.solution.cells if not cell.id.startswith("trial-")]
    assert not [(cell.id, error) for cell in ordinary for error in errors(cell)]
    automatic = {exercise.tests.metadata.nbgrader.grade_id for exercise in exercises(read(chapter))}
    scores = {name: score for name, score in result.grades["solution"].items() if name in automatic}
    assert set(scores) == automatic
    assert not {name: score for name, score in scores.items() if score[0] != score[1]}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_blank_versions_run_up_to_not_implemented_errors_and_get_nothing(chapter, graded):
    result = graded[chapter].result()
    found = [(cell.id, error) for cell in result.blank.cells for error in errors(cell)]
    assert not [error for error in found if not error[1].startswith("NotImplementedError")]
    assert len(found) >= len(exercises(read(chapter)))
    assert not {name: score for name, score in result.grades["blank"].items() if score[0]}
    for student in ("blank", "solution"):
        page = result.feedback[student]
        assert "cdnjs" not in page and ">Exercise 1: " in page and "Test cell" not in page
    for exercise in exercises(read(chapter)):
        tests = next(cell for cell in result.blank.cells if grading(cell).get("grade_id") == f"{exercise.name}_tests")
        assert all(re.search("not answered yet|in the cell above, and run it", error) for error in errors(tests))


@pytest.mark.parametrize(("chapter", "exercise", "place"), WRONG)
def test_wrong_answers_fail_with_a_message_that_teaches(chapter, exercise, place, graded):
    cells = {cell.id: cell for cell in graded[chapter].result().solution.cells}
    assert not errors(cells[trial_id("wrong", exercise, place)])  # it is wrong, not broken
    found = errors(cells[trial_id("tests", exercise, place)])
    assert found, "the tests let this wrong answer pass"
    pattern = wrong_answers(chapter)[exercise][place][1]
    assert re.match("(AssertionError|CheckError): ", found[0]), f"no message, but {found[0]}"
    assert re.search(pattern, found[0])


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_run_shows_the_same_whether_answered_or_not(chapter, graded):
    result = graded[chapter].result()
    ordinary = [
        cell.id for cell in read(chapter).cells if not grading(cell) and "varies" not in cell.metadata.get("tags", [])
    ]
    solution, blank = ({cell.id: cell for cell in notebook.cells} for notebook in (result.solution, result.blank))
    assert not [name for name in ordinary if shown(solution[name]) != shown(blank[name])]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_is_quick(chapter, graded):
    assert graded[chapter].result().cpu_seconds < CPU_SECONDS.get(chapter[:2], SHORT)
