"""What holds for the chapters without running them: their form, their pictures' words, their exercises."""

import ast
import importlib
import inspect
import json
import re
import textwrap
from html.parser import HTMLParser

import nbformat
import pytest
from notebooks import (
    CHAPTERS,
    exercises,
    grading,
    of_package,
    partly_right,
    parts_of,
    path_of,
    read,
    wrong_answers,
)

from glowsep.layers import Parameters

ONE_OF_THE_LETTERS = "this is one of the letters; whether it is the right one, the visible tests do not say"
A_VALUE = "visible tests passed; whether the value is right, they do not say"
LARGEST = 1_500_000  # bytes
NOTEBOOKS = {chapter: read(chapter) for chapter in CHAPTERS}
EXERCISES = [
    pytest.param(chapter, exercise, id=f"{chapter}-{exercise.name}")
    for chapter, notebook in NOTEBOOKS.items()
    for exercise in exercises(notebook)
]
of_chapters = pytest.mark.parametrize("chapter", CHAPTERS)
of_exercises = pytest.mark.parametrize(("chapter", "exercise"), EXERCISES)


def markdown(chapter):
    return [cell.source for cell in NOTEBOOKS[chapter].cells if cell.cell_type == "markdown"]


def outputs(chapter):
    return [output for cell in NOTEBOOKS[chapter].cells for output in cell.get("outputs", [])]


def markup(chapter):
    """The HTML that a chapter shows, widgets included."""
    data = [output["data"] for output in outputs(chapter) if "data" in output]
    html = [*inside_widgets(chapter), *("".join(content.get("text/html", "")) for content in data)]
    return data, "".join(html)


def inside_widgets(chapter):
    """The HTML in the widgets of a chapter."""
    widgets = NOTEBOOKS[chapter].metadata.get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {})
    states = [widget["state"] for widget in widgets.get("state", {}).values()]
    return [state["value"] for state in states if state["_model_name"] == "HTMLModel"]


@of_chapters
def test_what_moves_with_a_slider_is_saved(chapter):
    code = [cell.source for cell in NOTEBOOKS[chapter].cells if cell.cell_type == "code"]
    pictures = [text for text in inside_widgets(chapter) if "<img" in text]
    assert len(pictures) == sum(source.count("with_sliders(") for source in code)


@of_chapters
def test_nothing_is_shown_in_a_widget_that_answers(chapter):
    """An Output widget can make nbclient wait for ever: see `glowsep.show.with_sliders`."""
    assert "OutputModel" not in json.dumps(NOTEBOOKS[chapter].metadata)


class Pictures(HTMLParser):
    """The images and players in some HTML: (name, attributes)."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag in ("img", "audio"):
            self.elements.append((tag, dict(attrs)))


def test_the_course_is_whole():
    numbers = [chapter[:2] for chapter in CHAPTERS]
    assert numbers[:15] == [f"{number:02}" for number in range(1, 16)]
    assert len(set(numbers)) == len(numbers)
    graded = [cell for notebook in NOTEBOOKS.values() for cell in notebook.cells if grading(cell).get("points")]
    assert len(graded) >= 40
    tasks = {chapter[:2] for chapter in CHAPTERS for cell in NOTEBOOKS[chapter].cells if grading(cell).get("task")}
    assert tasks >= {"03", "09", "15"}  # the last chapters of the three parts


@of_chapters
def test_a_notebook_is_one(chapter):
    notebook = NOTEBOOKS[chapter]
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    kernel = notebook.metadata.kernelspec
    assert (kernel.name, kernel.display_name, kernel.language) == ("python3", "Python 3 (ipykernel)", "python")
    assert path_of(chapter).stat().st_size < LARGEST


@of_chapters
def test_it_has_a_numbered_heading_and_a_way_on(chapter):
    text = markdown(chapter)
    assert re.match(rf"# (Chapter )?{int(chapter[:2])}\b", text[0])
    prose = re.sub(r"(?s)```.*?```", "", "\n".join(text))
    headings = [len(marks) for marks in re.findall(r"(?m)^(#+) ", prose)]
    assert headings.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(headings, headings[1:], strict=False)), (
        "a level is left out"
    )
    assert re.search(r"(?mi)^#+ .*what comes next|^\*\*what comes next", prose)
    assert re.search(r"(?mi)^#+ .*further reading|^\*\*further reading", prose)


@of_chapters
def test_outputs_are_saved_as_one_run_from_top_to_bottom(chapter):
    code = [cell for cell in NOTEBOOKS[chapter].cells if cell.cell_type == "code" and cell.source.strip()]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [output.evalue for output in outputs(chapter) if output.output_type == "error"]
    assert not [output.text for output in outputs(chapter) if output.get("name") == "stderr"]
    assert not [cell.id for cell in code if "execution" in cell.metadata], "strip the times of execution"


@of_chapters
def test_pictures_and_players_have_words(chapter):
    data, html = markup(chapter)
    assert not [content for content in data if {"image/png", "image/svg+xml", "image/jpeg"} & set(content)], (
        "a picture without words: show it with glowsep.show.with_alt"
    )
    elements = Pictures(html + "".join(markdown(chapter))).elements
    assert elements, "a chapter without a picture"
    for tag, attributes in elements:
        words = attributes.get("alt" if tag == "img" else "aria-label") or ""
        assert len(words) > (20 if tag == "img" else 1), f"{tag}: {words!r}"
    assert not re.findall(r"!\[\s*\]\(", "".join(markdown(chapter)))


@of_chapters
def test_it_names_no_path_of_one_machine(chapter):
    assert not re.findall(r"/(?:home|root|tmp|opt|Users)/\w+", json.dumps(NOTEBOOKS[chapter]))


@of_chapters
def test_grading_is_in_order(chapter):
    cells = NOTEBOOKS[chapter].cells
    names = [grading(cell)["grade_id"] for cell in cells if grading(cell)]
    assert len(set(names)) == len(names)
    for cell in cells:
        marked = "BEGIN SOLUTION" in cell.source
        assert not marked or grading(cell).get("solution"), f"{cell.id}: a solution that nbgrader does not know of"
        if grading(cell).get("task"):
            assert "=== BEGIN MARK SCHEME ===" in cell.source
            assert "=== END MARK SCHEME ===" in cell.source
        if grading(cell).get("grade") or grading(cell).get("task"):
            assert grading(cell)["points"] > 0


@of_exercises
def test_an_exercise_has_a_solution_and_hidden_tests(chapter, exercise):
    assert "### BEGIN SOLUTION" in exercise.answer.source
    assert "### END SOLUTION" in exercise.answer.source
    tests = grading(exercise.tests)
    assert (tests["grade"], tests["solution"], tests["locked"]) == (True, False, True)
    assert tests["grade_id"] == f"{exercise.name}_tests"
    assert "### BEGIN HIDDEN TESTS" in exercise.tests.source and "### END HIDDEN TESTS" in exercise.tests.source


@of_exercises
def test_tests_ask_first_whose_answer_it_is(chapter, exercise):
    """By ``check.own``, for all that the answer defines, and no other cell does: what that left would be an answer."""
    first = ast.unparse(parsed(exercise.tests).body[0])
    assert first.startswith("check.own(")
    names = set(ast.literal_eval(first.replace("check.own", "")[:-1] + ",)"))
    assert names == defined(exercise.answer)
    others = [cell for cell in code_cells(chapter) if cell.id not in (exercise.answer.id, exercise.tests.id)]
    assert not {cell.id: names & defined(cell) for cell in others if names & defined(cell)}


@of_exercises
def test_what_students_see_passes_in_the_same_words_everywhere(chapter, exercise):
    visible = exercise.tests.source.partition("### BEGIN HIDDEN TESTS")[0]
    words = 'print("visible tests passed")'
    if parts_of(exercise):
        words = "parts.report()"
    elif "check.letter(" in visible:  # a wrong letter must not be confirmed
        words = f'print("{ONE_OF_THE_LETTERS}")'
    elif not is_code(exercise):
        words = f'print("{A_VALUE}")'
    assert visible.rstrip().endswith(f"\n{words}")


def is_code(exercise):
    """Whether a function or a class is asked for; otherwise it is a number, or a few, or a letter."""
    return any("." in name or f"def {name}(" in exercise.answer.source for name in defined(exercise.answer))


@of_exercises
def test_the_points_of_parts_are_those_of_the_exercise_and_its_text_names_them(chapter, exercise):
    """nbgrader refuses a notebook that earns more than a cell is worth, and takes a number from its last line alone."""
    if not (parts := parts_of(exercise)):
        assert "Parts(" not in exercise.tests.source
        assert exercise.name not in partly_right(chapter)
        return
    assert len(parts) > 1 and min(parts.values()) > 0
    assert sum(parts.values()) == grading(exercise.tests)["points"]
    assert exercise.tests.source.endswith("### END HIDDEN TESTS\nparts.points()")
    tested = set(re.findall(r'with parts\("([^"]+)"\):', exercise.tests.source))
    assert tested == set(parts)
    cells = NOTEBOOKS[chapter].cells
    before = cells[: [cell.id for cell in cells].index(exercise.answer.id)]
    statement = [cell.source for cell in before if re.search(r"(?m)^### Exercise \d", cell.source)][-1]
    assert statement.endswith("*Points:* " + ", ".join(f"{points} for {name}" for name, points in parts.items()) + ".")
    shown = [output for output in exercise.tests.outputs if output.output_type == "execute_result"]
    points = grading(exercise.tests)["points"]
    assert [output.data["text/plain"] for output in shown] == [str(points)]
    printed = "".join(output.text for output in exercise.tests.outputs if output.output_type == "stream")
    assert printed == f"visible tests passed\n{points} of {points} points\n"


@of_exercises
def test_every_exercise_with_parts_has_an_answer_that_is_partly_right(chapter, exercise):
    answers, parts = partly_right(chapter).get(exercise.name, []), parts_of(exercise)
    assert bool(answers) == bool(parts)
    for code, points, pattern in answers:
        ast.parse(code)
        assert len(pattern) > 3
        assert 0 < points < sum(parts.values())


@of_exercises
def test_every_assertion_says_what_is_wrong(chapter, exercise):
    bare = [node for node in ast.walk(parsed(exercise.tests)) if isinstance(node, ast.Assert) and node.msg is None]
    assert not [ast.unparse(node) for node in bare]


@pytest.mark.parametrize("place", range(len(CHAPTERS)), ids=CHAPTERS)
def test_no_chapter_shows_what_an_exercise_of_it_or_of_a_later_one_asks_for(place):
    """`source(function)` prints a solution, and its output is in the notebooks for students, too."""
    shown = re.findall(r"(?m)^source\((.*)\)$", "\n".join(cell.source for cell in NOTEBOOKS[CHAPTERS[place]].cells))
    names = {name.strip().rsplit(".", 1)[-1] for call in shown for name in call.split(",")}
    asked = {name for chapter in CHAPTERS[place:] for name in of_package(chapter)}
    assert not names & asked


@of_exercises
def test_wrong_answers_are_kept(chapter, exercise):
    """At least four, with those of which a part is right; test_chapters.py has them graded."""
    answers = wrong_answers(chapter).get(exercise.name, [])
    partly = partly_right(chapter).get(exercise.name, [])
    assert len(answers) + len(partly) >= 4
    for code, pattern in answers:
        ast.parse(code)
        assert len(pattern) > 3


@of_chapters
def test_wrong_answers_belong_to_exercises(chapter):
    names = {exercise.name for exercise in exercises(NOTEBOOKS[chapter])}
    assert {*wrong_answers(chapter), *partly_right(chapter)} <= names


@of_exercises
def test_solutions_of_methods_are_the_packages(chapter, exercise):
    """``class ActNorm(glowsep.ActNorm)`` overrides methods by the very statements of the package, comments aside."""
    for definition in ast.walk(parsed(exercise.answer)):
        if isinstance(definition, ast.ClassDef):
            for base in definition.bases:
                original = evaluated(base, chapter)
                if original.__module__.startswith("glowsep") and original is not Parameters:  # which has neither method
                    for method in definition.body:
                        if isinstance(method, ast.FunctionDef):
                            assert statements(method) == statements(syntax(getattr(original, method.name)))


@of_exercises
def test_solutions_that_are_functions_of_the_package_equal_them(chapter, exercise):
    if exercise.name in of_package(chapter):
        module = importlib.import_module(of_package(chapter)[exercise.name])
        (function,) = parsed(exercise.answer).body
        assert statements(function) == statements(syntax(getattr(module, exercise.name)))


def code_cells(chapter):
    return [cell for cell in NOTEBOOKS[chapter].cells if cell.cell_type == "code"]


def defined(cell):
    """What a cell defines: functions, methods such as ``ActNorm.inverse``, and otherwise variables; imports aside."""
    names = set()
    for node in parsed(cell).body:
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{part.name}" for part in node.body if isinstance(part, ast.FunctionDef)}
        elif isinstance(node, ast.FunctionDef):
            names.add(node.name)
        else:
            names |= {
                part.id
                for part in ast.walk(node)
                if isinstance(getattr(part, "ctx", None), ast.Store) and isinstance(part, ast.Name)
            }
    return names


def parsed(cell):
    """The syntax tree of a cell, without lines for IPython only."""
    return ast.parse(re.sub(r"(?m)^[%!].*$", "", cell.source))


def evaluated(expression, chapter):
    """The value of an expression like ``glowsep.ActNorm``, after the chapter's imports."""
    names = {}
    for cell in NOTEBOOKS[chapter].cells:
        if cell.cell_type == "code":
            imports = [node for node in parsed(cell).body if isinstance(node, ast.Import | ast.ImportFrom)]
            exec(compile(ast.Module(imports, type_ignores=[]), chapter, "exec"), names)
    return eval(compile(ast.Expression(expression), chapter, "eval"), names)


def syntax(function):
    return ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]


def statements(function):
    """A function's arguments and statements as one text each, its docstring and types left out."""
    for argument in ast.walk(function.args):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return [ast.unparse(function.args), *map(ast.unparse, body)]
