"""A notebook in which exercises are answered by nothing: by what a student hands in who has not written the answer.

Every exercise comes several times, each time as an exercise of its own: answered in every one of `KINDS`, with what the
exercises before have left, then partly right where it has parts, and then right. After that come two students who
answer every other exercise, and delete the rest: what they answer must not need what they have not. What else is in the
chapter is cut down to the statements that the exercises need, since what costs time there are its pictures and its
separations.
"""

import ast
import copy
import dis
import re
import types
from typing import NamedTuple

import nbformat
from notebooks import exercises, grading, partly_right, read

RIGHT = "right"
PARTLY = "partly"  # and a number
KINDS = ("misspelt", "broken", "deleted", "before", "empty")
STUDENTS = ("tries", "odd", "even")
AFRESH = "%reset -f"  # a kernel for each would take longer than all of their exercises


class Trial(NamedTuple):
    """An exercise once answered: in the notebook it has the name ``name``."""

    student: str
    exercise: str
    way: str

    @property
    def name(self):
        return "-".join(self)


def trials(chapter):
    """All trials of a chapter, in their order."""
    names, partly = [exercise.name for exercise in exercises(read(chapter))], partly_right(chapter)
    return [
        Trial(student, name, way)
        for student in STUDENTS
        for place, name in enumerate(names)
        for way in ways(student, place, len(partly.get(name, [])))
    ]


def ways(student, place, partly):
    """How a student answers the exercise at this place, one way after the other; ``partly`` of them partly right."""
    if student == "tries":
        return (*KINDS, *(f"{PARTLY}{number}" for number in range(partly)), RIGHT)
    return (RIGHT,) if (place % 2 == 0) == (student == "odd") else ("deleted",)


def notebooks(chapter):
    """The assignment with all trials, its solutions right, and what is handed in."""
    full, partly = read(chapter), partly_right(chapter)
    cells, pairs = with_what_is_needed(full.cells), exercises(full)
    answers = {pair.answer.id: place for place, pair in enumerate(pairs)}
    assignment, submission = [], []
    for student in STUDENTS:
        assignment.append(ordinary(AFRESH))
        for cell in cells:
            if cell.id in answers:
                place = answers[cell.id]
                right, before = cell.source, pairs[place - 1].answer.source if place else ""
                partly_here = [code for code, _, _ in partly.get(pairs[place].name, [])]
                for way in ways(student, place, len(partly_here)):
                    trial = Trial(student, pairs[place].name, way)
                    assignment += [named(cell, trial.name), named(pairs[place].tests, f"{trial.name}-tests")]
                    submission.append(answered(right, way, before, partly_here))
            elif not grading(cell):
                assignment.append(ordinary(cell.source))
    as_given = copy.deepcopy(full) | {"cells": assignment}
    handed_in = copy.deepcopy(as_given)
    for cell in handed_in["cells"]:
        if grading(cell).get("solution"):
            cell.source = submission.pop(0)
    return nbformat.from_dict(as_given), nbformat.from_dict(handed_in)


def ordinary(source):
    return nbformat.v4.new_code_cell(source)


def named(cell, name):
    """The cell as one of another exercise."""
    other = copy.deepcopy(cell)
    other.metadata.nbgrader.grade_id = name
    other.id = nbformat.v4.new_code_cell().id
    return other


def answered(source, way, before, partly):
    """What is in an answer's cell: ``source`` is right, ``before`` the answer to the exercise before."""
    if way == RIGHT:
        return source
    if way.startswith(PARTLY):
        return partly[int(way.removeprefix(PARTLY))]
    if way == "deleted":
        return ""
    if way == "before":
        return before
    if way == "broken":
        return f"{source}\n)"
    tree = ast.parse(source)
    if way == "empty":
        kept = [node for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
        for node in kept:
            node.body = [ast.Pass()]
        return "\n\n".join(map(ast.unparse, kept)) or "pass"
    for name in asked_for(tree):
        source = re.sub(rf"(?<!\.)\b{name}\b", f"{name}s", source)
    return source


def asked_for(tree):
    """The names that an answer defines: methods of its classes, its functions, its variables."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    at_top = [node for node in tree.body if not isinstance(node, ast.ClassDef)]
    methods = [node for owner in tree.body if isinstance(owner, ast.ClassDef) for node in owner.body]
    functions = {node.name for node in [*at_top, *methods] if isinstance(node, ast.FunctionDef)}
    return functions or names


def with_what_is_needed(cells):
    """The graded cells, and of the others the statements that define what those use, and what these need in turn."""
    needed, kept = set(), []
    for cell in reversed(cells):
        if grading(cell):
            kept.append(cell)
            needed |= read_first(parsed(cell)) if cell.cell_type == "code" else set()
        elif cell.cell_type == "code":
            statements = []
            for statement in reversed(parsed(cell).body):
                if (stored(statement) | filled(statement)) & needed:
                    statements.append(narrowed(statement, needed))
                    needed = (needed - stored(statement)) | read_first(statement)
            if statements:
                cell.source = "\n".join(map(ast.unparse, reversed(statements)))
                kept.append(cell)
    return kept[::-1]


def narrowed(statement, needed):
    """An import without the names that nobody needs."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        statement.names = [
            alias for alias in statement.names if (alias.asname or alias.name.partition(".")[0]) in needed
        ]
    return statement


def read_first(tree):
    """The global names that some code reads without having defined them; what it adds to, it has not defined."""
    added = [node.target for node in ast.walk(tree) if isinstance(node, ast.AugAssign)]
    return loaded(tree) - (stored(tree) - {target.id for target in added if isinstance(target, ast.Name)})


def loaded(tree):
    """The global names that some code reads, in its functions too."""
    return {step.argval for code in codes(tree) for step in steps(code) if step.opname in ("LOAD_NAME", "LOAD_GLOBAL")}


def stored(tree):
    """The global names that some code defines."""
    return {step.argval for step in steps(codes(tree)[0]) if step.opname == "STORE_NAME"}


def filled(statement):
    """The names that a method called on its own line is given: it may do something to them."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    is_method = isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
    return {argument.id for argument in call.args if isinstance(argument, ast.Name)} if is_method else set()


def codes(tree):
    """The compiled code, and after it that of all functions and classes in it."""
    module = tree if isinstance(tree, ast.Module) else ast.Module([tree], type_ignores=[])
    found = [compile(module, "a cell", "exec")]
    for code in found:
        found += [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return found


def steps(code):
    return dis.get_instructions(code)


def parsed(cell):
    return ast.parse(re.sub(r"(?m)^[%!].*$", "", cell.source))
