"""The chapters as a course: exercises without solutions, varied exercises, the form of openings and headings."""

import contextlib
import copy
import json
import re
import runpy
import sys
from collections import Counter

import nbformat
import non_answers
import numpy as np
import pytest
from notebooks import CHAPTERS, REPOSITORY, exercises, grading, is_answer, read, wrong_answers

from glowsep.cli import main
from glowsep.course import changes, chapters, chosen, handout, read_chapter, varied, write_notebook
from glowsep.course.grading import exercise_names, feedback_page, place_of_missing
from glowsep.course.varying import GENERATOR, variations
from glowsep.errors import CourseError

sys.path.append(str(REPOSITORY / "tests" / "benchmarks"))
import course_tables  # noqa: E402 (from the folder added above)

of_chapters = pytest.mark.parametrize("chapter", CHAPTERS)
PATHS = {path.stem: path for path in chapters()}
NOTEBOOKS = {chapter: read(chapter) for chapter in CHAPTERS}
OPENING = re.compile(
    r"""\#\ (?P<number>\d+)\ .+\n\n
    \*\*The\ question\.\*\*\ .+\?.*\n\n
    (?s:.+\n\n)
    \*\*After\ this\ chapter\ you\ can\*\*\n\n
    (?:-\ .+,\n){2,}-\ .+\.\n\n
    \*\*You\ need\*\*\ .+\.\n\n
    \*\*Time:\*\*\ about\ (?P<reading>\d+)\ minutes\ to\ read,\ .+\ to\ run\.""",
    re.VERBOSE,
)
EXERCISE = re.compile(r"(?m)^#+ .*[Ee]xercise.*|^#+ .*[Pp]roject.*")


def run(*arguments):
    return main([str(argument) for argument in arguments])


def code(notebook):
    return "\n".join("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code")


# What a chapter says of itself


@of_chapters
def test_a_chapter_opens_with_its_question_outcomes_needs_and_times(chapter):
    opening = OPENING.fullmatch(NOTEBOOKS[chapter].cells[0].source)
    assert opening, "form: tests/test_course.py"
    assert int(opening["number"]) == int(chapter[:2])


def test_the_time_that_a_chapter_runs_was_measured():
    assert set(json.loads(course_tables.MEASURED.read_text(encoding="utf-8"))) == set(CHAPTERS)


@of_chapters
def test_the_times_are_those_of_the_chapter(chapter):
    """To the points and the measured seconds exactly; to the words within five minutes, so that prose may change."""
    opening = NOTEBOOKS[chapter].cells[0].source
    said = course_tables.TIME.search(opening)[0]
    now = course_tables.time_line(chapter, read_chapter(PATHS[chapter]), course_tables.kept())
    reading = re.compile(r"about (\d+) minutes to read")
    assert abs(int(reading.search(said)[1]) - int(reading.search(now)[1])) <= 5
    assert reading.sub("", said) == reading.sub("", now), "python tests/benchmarks/course_tables.py writes it anew"


@of_chapters
def test_headings_of_exercises_are_numbered_and_give_the_points(chapter):
    """``### Exercise 5: backward (3 points)``; the points are those of the answers up to the next heading."""
    headings, given, by_hand = [], [], []
    for cell in NOTEBOOKS[chapter].cells:
        if cell.cell_type == "markdown":
            found = [line for line in EXERCISE.findall(cell.source) if line != "## Exercises"]
            headings += found
            given += [[] for _ in found]
            by_hand += [False for _ in found]
        if score := grading(cell).get("points"):
            assert given, f"{cell.id}: no heading before it"
            given[-1].append(score)
            by_hand[-1] = by_hand[-1] or (cell.cell_type == "markdown" and not grading(cell).get("task"))
    number = 0
    for heading, scores, words in zip(headings, given, by_hand, strict=True):
        points = f"{' + '.join(map(str, scores))} point{'s' if scores != [1] else ''}{', in words' if words else ''}"
        if "project" in heading:
            part = 1 + [3, 9, 15].index(int(chapter[:2]))
            assert re.fullmatch(rf"## Open project of part {part}: .+ \({points}\)", heading)
        else:
            number += 1
            assert re.fullmatch(rf"### Exercise {number}: .+ \({re.escape(points)}\)", heading)
    assert number or chapter[:2] == "15"


@of_chapters
def test_the_marks_of_answers_in_words_are_no_headings(chapter):
    texts = [cell.source for cell in NOTEBOOKS[chapter].cells if cell.cell_type == "markdown"]
    assert not [line for text in texts for line in re.findall(r"(?m)^#+ .*(?:BEGIN|END) .*", text)]


def test_the_tables_of_the_course_are_those_of_the_chapters():
    text = (REPOSITORY / "course" / "README.md").read_text(encoding="utf-8")
    tables = re.compile(r"(?s)<!-- begin exercises -->\n.*?<!-- end exercises -->")
    assert tables.search(text)[0] == tables.search(course_tables.with_tables(text))[0], (
        "python tests/benchmarks/course_tables.py writes it anew"
    )


@pytest.mark.parametrize(
    ("chapter", "exercise"),
    [
        pytest.param(chapter, exercise, id=f"{chapter}-{exercise.name}")
        for chapter in CHAPTERS
        for exercise in exercises(NOTEBOOKS[chapter])
        if not re.search(r"(?m)^(def|class) ", exercise.answer.source)
    ],
)
def test_students_cannot_read_a_value_in_what_they_see(chapter, exercise):
    """A number or a letter that is wrong passes the visible tests, and fails the hidden ones."""
    visible, mark, _ = exercise.tests.source.partition("### BEGIN HIDDEN TESTS")
    assert mark
    before = names_before(exercise.name, NOTEBOOKS[chapter])
    passing = []
    for code, _ in wrong_answers(chapter)[exercise.name]:
        attempt(code, names := dict(before))
        with contextlib.suppress(AssertionError):
            attempt(visible, names)
            passing.append(code)
        with pytest.raises(AssertionError):
            attempt(exercise.tests.source, names)
    assert passing


# Without solutions


@of_chapters
def test_a_handout_gives_nothing_away(chapter):
    original = read_chapter(PATHS[chapter])
    out = handout(original, chapter)
    text = json.dumps(out)
    assert not re.search(r"(BEGIN|END) (SOLUTION|HIDDEN|MARK)", text)
    assert original == read_chapter(PATHS[chapter])
    nbformat.validate(nbformat.reads(text, 4))
    answers = [cell for cell in NOTEBOOKS[chapter].cells if is_answer(cell)]
    assert code(out).count("raise NotImplementedError\n") + code(out).endswith("NotImplementedError") >= len(answers)
    solutions = [line for cell in answers for line in solution_lines(cell.source)]
    kept = Counter(line.strip() for cell in out["cells"] for line in "".join(cell["source"]).splitlines())
    outside = Counter(line.strip() for line in without_solutions(NOTEBOOKS[chapter]))
    assert not [line for line in solutions if kept[line.strip()] > outside[line.strip()]]
    assert f"chapters/{chapter}.ipynb" in out["cells"][-1]["source"]


def solution_lines(source):
    inside = re.search(r"(?s)BEGIN SOLUTION.*?\n(.*?)\n[^\n]*END SOLUTION", source)[1]
    return [line for line in inside.splitlines() if len(line.strip()) > 10]


def without_solutions(notebook):
    """The lines of a chapter that belong to no solution; a line may be shown elsewhere, in a listing say."""
    for cell in notebook.cells:
        yield from re.sub(r"(?s)BEGIN SOLUTION.*?END SOLUTION", "", cell.source).splitlines()


@of_chapters
def test_a_handout_has_no_link_to_what_does_not_come_along_and_says_how_to_compare(chapter):
    cells = handout(read_chapter(PATHS[chapter]), chapter)["cells"]
    text = "".join(cell["source"] for cell in cells if cell["cell_type"] == "markdown")
    linked = set(re.findall(r"\]\((?!http|#)([^)#]+)", text))
    assert linked <= {path.name for path in PATHS.values()}
    last, original = cells[-1]["source"], NOTEBOOKS[chapter].cells
    graded = [cell for cell in original if "nbgrader" in cell.metadata]
    values = [cell for cell in graded if re.search("the visible tests do not say|they do not say", cell.source)]
    assert ("a number or a letter is asked for" in last) == bool(values)
    assert ("answer in words" in last) == any(cell.cell_type == "markdown" for cell in graded)


def test_an_answer_in_words_that_marks_nothing_is_all_solution():
    cell = {
        "cell_type": "markdown",
        "metadata": {"nbgrader": {"solution": True, "grade": True}},
        "source": ["Because."],
    }
    assert handout({"cells": [cell], "metadata": {}}, "01_x")["cells"][0]["source"] == "*Your answer here.*"


def test_a_handout_runs_up_to_the_first_exercise_and_says_what_to_do(tmp_path, monkeypatch):
    """In a kernel, from another folder, with nbgrader out of reach."""
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    hidden = tmp_path / "hidden" / "nbgrader"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ImportError('not installed')")
    monkeypatch.setenv("PYTHONPATH", f"{hidden.parent}:{REPOSITORY}")
    assert run("exercises", 6, "-o", tmp_path / "mine", "-q") == 0
    notebook = nbformat.read(tmp_path / "mine" / "06_actnorm.ipynb", 4)
    client = nbclient.NotebookClient(
        notebook, timeout=120, allow_errors=True, resources={"metadata": {"path": tmp_path}}
    )
    client.execute()
    errors = [
        (cell.id, output.ename)
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    ]
    assert {name for _, name in errors} <= {"NotImplementedError", "CheckError"} and len(errors) >= 7, errors


# On the command line


def test_chapters_are_chosen_by_number_or_name():
    for name in ("6", "06", "06_actnorm", "06_actnorm.ipynb"):
        assert [path.stem for path in chosen([name])] == ["06_actnorm"]
    assert chosen(["9", "6", "6"]) == chosen(["6", "9"])
    assert chosen() == chapters()


@pytest.mark.parametrize("command", ["exercises", "vary"])
@pytest.mark.parametrize("name", ["16", "0", "nmf", "-o"])
def test_an_unknown_chapter_is_one_line_and_nothing_is_written(command, name, tmp_path, capsys):
    assert run(command, "6", name, "--out", tmp_path / "out") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert name == "-o" or f"{name}: no such chapter; give a number from 1 to 15" in line
    assert list(tmp_path.iterdir()) == []


def test_what_a_student_has_changed_stays(tmp_path, capsys):
    assert run("exercises", 1, 2, "-o", tmp_path) == 0
    assert capsys.readouterr().out.splitlines() == [str(tmp_path / f"{name}.ipynb") for name in CHAPTERS[:2]]
    first, second = sorted(tmp_path.iterdir())
    mine = json.loads(first.read_text(encoding="utf-8"))
    mine["cells"][2]["source"] = "my own words"
    first.write_text(json.dumps(mine), encoding="utf-8")
    second.write_bytes(second.read_bytes())
    assert run("exercises", 1, 2, 3, "-o", tmp_path) == 1
    said = capsys.readouterr()
    assert said.out.splitlines() == [str(second), str(tmp_path / f"{CHAPTERS[2]}.ipynb")]
    (line,) = said.err.splitlines()
    assert f"{first}: has been changed, so it stays" in line and "--overwrite" in line
    assert "my own words" in first.read_text(encoding="utf-8")
    assert run("exercises", 1, "-o", tmp_path, "--overwrite") == 0
    assert "my own words" not in first.read_text(encoding="utf-8")


def test_a_file_of_somebody_else_s_stays(tmp_path):
    out = tmp_path / "06_actnorm.ipynb"
    for text in ("", "{}", '{"nbformat": 4, "metadata": {}}', (PATHS["06_actnorm"]).read_text(encoding="utf-8")):
        out.write_text(text, encoding="utf-8")
        with pytest.raises(CourseError, match="has been changed"):
            write_notebook(handout(read_chapter(PATHS["06_actnorm"]), "06_actnorm"), out)
        assert out.read_text(encoding="utf-8") == text


def test_without_chapters_one_line_says_what_to_do(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("glowsep.course.contents.chapters.__defaults__", (tmp_path,))
    monkeypatch.setattr("glowsep.course.contents.chosen.__defaults__", ((), tmp_path))
    assert run("exercises", "-o", tmp_path / "out") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "no chapters here; clone the repository" in line
    assert list(tmp_path.iterdir()) == []


# What nbgrader is told


def test_what_was_deleted_comes_back_below_its_heading():
    chapter = NOTEBOOKS["06_actnorm"].cells
    place = next(place for place, cell in enumerate(chapter) if grade_id(cell) == "actnorm_forward")
    assert "### Exercise 3: forward" in chapter[place - 1].source
    for without in ([place], [place, place + 1]):
        cells = [cell for number, cell in enumerate(chapter) if number not in without]
        assert place_of_missing("actnorm_forward", chapter, cells) == place
    cells.insert(place, chapter[place])
    assert place_of_missing("actnorm_forward_tests", chapter, cells) == place + 1
    del cells[place - 1]  # the heading, too
    assert place_of_missing("actnorm_forward_tests", chapter, cells) == place
    assert place_of_missing("actnorm_forward", chapter, []) == 0
    assert place_of_missing("not in this chapter", chapter, cells) == len(cells)


@of_chapters
def test_every_score_has_the_name_of_its_exercise(chapter):
    cells = NOTEBOOKS[chapter].cells
    graded = [grading(cell)["grade_id"] for cell in cells if grading(cell).get("points")]
    names = exercise_names(cells)
    assert list(names) == graded and len(set(names.values())) == len(graded)
    assert all(re.match(r"Exercise \d+: |Open project of part \d: ", name) for name in names.values())
    assert not [name for name in names.values() if "point" in name]


def test_the_page_with_feedback_names_the_exercises_and_needs_no_network():
    page = """<!-- Load mathjax -->
<script src="https://cdnjs.cloudflare.com/mathjax/latest.js"> </script>
<!-- End of mathjax configuration -->
<li><a href="#why_tests">Test cell</a> (Score: 1.0 / 2.0)</li>
<span class="nbgrader-label">Grade cell: <code>why_tests</code></span>"""
    made = feedback_page(page, {"why_tests": "Exercise 2: why is *off* < on?"}, r"let code = '\1';")
    assert '<a href="#why_tests">Exercise 2: why is off &lt; on?</a> (Score: 1.0 / 2.0)' in made
    assert '<span class="nbgrader-label">Tests of Exercise 2: why is off &lt; on?</span>' in made
    assert r"let code = '\1';</script>" in made and "MathJax = {" in made and "http" not in made


def test_the_pattern_for_moodle_s_archives_finds_names_and_ids():
    text = (REPOSITORY / "course" / "README.md").read_text(encoding="utf-8")
    pattern = re.search(r'named_regexp = \(\s+r"(.+)"\s+\)', text)[1]
    for name, last in (("Ada Lovelace", "Lovelace"), ("Mary Bo Smith-Jones", "Smith-Jones")):
        for end in ("", "_"):
            path = f"/a course_1/extracted/Score-2/{name}_1815_assignsubmission_file{end}/06_actnorm.ipynb"
            found = re.match(pattern, path)
            assert found["student_id"] == "1815" and found["last_name"] == last
            assert f"{found['first_name']} {last}" == name and found["file_id"] == "06_actnorm.ipynb"


# Varied


def test_the_same_seed_varies_alike_and_another_otherwise():
    notebook = read_chapter(PATHS["06_actnorm"])
    assert varied(notebook, 1) == varied(notebook, 1)
    assert len({code(varied(notebook, seed)) for seed in range(4)}) == 4
    assert notebook == read_chapter(PATHS["06_actnorm"])


@of_chapters
def test_only_tests_seeds_and_listed_exercises_vary(chapter):
    """And every generator of every test does, whatever its seed is: a number, or what a function was given."""
    before, after = read_chapter(PATHS[chapter])["cells"], varied(read_chapter(PATHS[chapter]), 2027)["cells"]
    places = [place for place, cell in enumerate(before) if grade_id(cell) in variations()]
    listed = {place + shift for place in places for shift in (-1, 0, 1)}
    for place, (old, new) in enumerate(zip(before, after, strict=True)):
        old, new = "".join(old["source"]), "".join(new["source"])
        if not grading_of_tests(before[place]):
            assert old == new or place in listed
            continue
        assert GENERATOR.sub("", old) == GENERATOR.sub("", new) or place in listed
        assert len(GENERATOR.findall(old)) == old.count("default_rng(")
        assert GENERATOR.findall(new) == [f"[2027, {seed}]" for seed in GENERATOR.findall(old)]


def grading_of_tests(cell):
    return cell["cell_type"] == "code" and cell["metadata"].get("nbgrader", {}).get("grade")


@of_chapters
def test_no_chapter_stays_as_it_was_published_and_what_does_in_it_is_named(chapter):
    notebook = read_chapter(PATHS[chapter])
    found = changes(notebook, varied(notebook, 2027))
    tests = [exercise.name for exercise in exercises(NOTEBOOKS[chapter])]
    assert set(tests) == {*found.seeds, *found.numbers, *found.nothing}
    assert set(found.nothing) <= {"must_agree"}  # it asks for names
    assert str(found).startswith(f"other seeds in {len(found.seeds)} exercise")
    assert (f"numbers in {len(found.numbers)} exercise" in str(found)) == bool(found.numbers)
    assert ("as published: must_agree" in str(found)) == bool(found.nothing)
    assert str(changes(notebook, notebook)).startswith("nothing in it can be varied")


@of_chapters
def test_the_solutions_of_every_varied_chapter_pass_its_tests(chapter):
    """Hidden ones included; of what is not graded, only what they need is run."""
    notebook = nbformat.reads(json.dumps(varied(read_chapter(PATHS[chapter]), 5)), 4)
    names = {"__name__": "__main__"}
    for cell in non_answers.with_what_is_needed(notebook.cells):
        if cell.cell_type == "code":
            attempt(cell.source, names)


@pytest.mark.parametrize("name", variations())
def test_every_set_of_numbers_fits(name):
    """The varied solution passes the varied tests, hidden ones included, and fails those of every other set.

    If the answer is a function, there is one that is right for every set, and only the tests differ.
    """
    chapter = next(chapter for chapter in CHAPTERS if name in [e.name for e in exercises(NOTEBOOKS[chapter])])
    cells = NOTEBOOKS[chapter]["cells"]
    alone = {"cells": [cell for cell in cells if is_part_of(cell, name, NOTEBOOKS[chapter])]}
    versions = [exercise_cells(cells, name)]
    for seed in range(40):
        version = exercise_cells(varied(alone, seed)["cells"], name)
        if without_seeds(version) not in map(without_seeds, versions):
            versions.append(version)
    assert len(versions) == len(variations()[name]) + 1
    is_function = re.search(r"(?m)^(def|class) ", versions[0][1])
    assert len({statement for statement, _, _ in versions}) == (1 if is_function else len(versions))
    before = names_before(name, NOTEBOOKS[chapter])
    for key, (_, answer, tests) in enumerate(versions):
        attempt(answer, names := dict(before))
        attempt(tests, names)
        for other, (_, _, others) in enumerate(versions):
            if other != key and not is_function:
                attempt(answer, names := dict(before))
                with pytest.raises(AssertionError):
                    attempt(others, names)


def is_part_of(cell, name, notebook):
    (place,) = [place for place, other in enumerate(notebook["cells"]) if grade_id(other) == name]
    return cell in notebook["cells"][place - 1 : place + 2]


def exercise_cells(cells, name):
    """The texts of an exercise's statement, answer and tests."""
    (place,) = [place for place, cell in enumerate(cells) if grade_id(cell) == name]
    return ["".join(cell["source"]) for cell in cells[place - 1 : place + 2]]


def without_seeds(version):
    return [GENERATOR.sub("", text) for text in version]


def names_before(name, notebook):
    """What an exercise may use: what the chapter has defined, its imports and helpers."""
    exercise = [cell for cell in notebook.cells if grade_id(cell) in (name, f"{name}_tests")]
    needed = [cell for cell in notebook.cells if not grading(cell) or cell in exercise]
    names = {"__name__": "__main__", "np": np}
    for cell in non_answers.with_what_is_needed([copy.copy(cell) for cell in needed]):
        if cell.cell_type == "code" and not grading(cell):
            attempt(cell.source, names)
    return names


def grade_id(cell):
    return cell["metadata"].get("nbgrader", {}).get("grade_id")


def attempt(code, names):
    exec(compile(code, "a cell", "exec"), names)


def test_numbers_that_are_no_longer_there_are_named(monkeypatch):
    monkeypatch.setattr("glowsep.course.varying.variations", lambda repository: {"coupling_bound": [{"77": "78"}]})
    with pytest.raises(CourseError, match="coupling_bound no longer has '77'"):
        varied(read_chapter(PATHS["08_affine_coupling"]), 0)


def test_vary_says_what_it_has_changed_and_that_what_is_released_stays(tmp_path, capsys):
    source = tmp_path / "course" / "source"
    assert run("vary", 5, 15, "--seed", 1, "-o", source) == 0
    said = capsys.readouterr()
    first, second = said.out.splitlines()
    assert first.endswith("05_gradients_by_hand.ipynb: other seeds in 7 exercises; other numbers in 1 exercise")
    assert second.endswith("15_your_own_song.ipynb: other seeds in 3 exercises; as published: must_agree")
    assert said.err == ""
    (source.parent / "release" / "15_your_own_song").mkdir(parents=True)
    assert run("vary", 5, 15, "--seed", 2, "-q", "-o", source) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert "15_your_own_song has been released" in line and "generate_assignment --force 15_your_own_song" in line


def test_a_varied_chapter_replaces_nbgrader_s_copy_but_no_teacher_s(tmp_path, capsys):
    copy = tmp_path / "06_actnorm" / "06_actnorm.ipynb"
    copy.parent.mkdir()
    copy.write_bytes(PATHS["06_actnorm"].read_bytes())
    assert run("vary", 6, "--seed", 1, "-o", tmp_path) == 0
    assert run("vary", 6, "--seed", 2, "-o", tmp_path) == 0
    assert copy.read_text(encoding="utf-8") != PATHS["06_actnorm"].read_text(encoding="utf-8")
    copy.write_text(copy.read_text(encoding="utf-8").replace("ActNorm", "Normalisation"), encoding="utf-8")
    capsys.readouterr()
    assert run("vary", 6, 7, "--seed", 3, "-o", tmp_path) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{copy}: has been changed, so it stays" in line
    assert "Normalisation" in copy.read_text(encoding="utf-8")
    assert (tmp_path / "07_invertible_convolution" / "07_invertible_convolution.ipynb").is_file()


def test_nbgrader_s_configuration_takes_a_varied_chapter_for_the_teacher_s(tmp_path, capsys):
    """It says nothing about it, and leaves it alone; the other chapters it copies."""
    pytest.importorskip("nbgrader")
    from traitlets.config import Config

    config = tmp_path / "nbgrader_config.py"
    config.write_text((REPOSITORY / "course" / "nbgrader_config.py").read_text(encoding="utf-8"), encoding="utf-8")
    assert run("vary", 6, "--seed", 1, "-q", "-o", tmp_path / "source") == 0
    copy = tmp_path / "source" / "06_actnorm" / "06_actnorm.ipynb"
    before = copy.read_bytes()
    for _ in range(2):
        runpy.run_path(str(config), {"get_config": Config})
        assert capsys.readouterr().err == "" and copy.read_bytes() == before
    other = tmp_path / "source" / "07_invertible_convolution" / "07_invertible_convolution.ipynb"
    assert other.read_bytes() == PATHS["07_invertible_convolution"].read_bytes()
