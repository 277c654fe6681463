"""Notebooks in which exercises are answered by nothing: what a student hands in who has not written the answer.

Each round of a chapter has all of its exercises, most of them answered by one of `KINDS`, the others right; after all
`ROUNDS` every exercise has been answered in every way. What else is in the notebook is cut down to the statements that
the exercises need, since what costs time in a chapter are its pictures and its separations.
"""

import ast
import dis
import re
import types

from notebooks import exercises, grading, read

RIGHT = "right"
KINDS = ("empty", "misspelt", "broken", "deleted", "before")
WAYS = (*KINDS, RIGHT)
ROUNDS = range(len(WAYS))


def ways(chapter, turn):
    """By exercise: how it is answered in this round."""
    names = [exercise.name for exercise in exercises(read(chapter))]
    return {name: WAYS[(place + turn) % len(WAYS)] for place, name in enumerate(names)}


def notebook(chapter, turn):
    """The chapter as it is handed in in this round."""
    full = read(chapter)
    full.cells = with_what_is_needed(full.cells)
    all_exercises = exercises(full)
    right = [exercise.answer.source for exercise in all_exercises]
    for place, way in enumerate(ways(chapter, turn).values()):
        all_exercises[place].answer.source = answered(right[place], way, before=right[place - 1])
    return full


def answered(source, way, before):
    """What is in an answer's cell: ``source`` is right, and ``before`` is the answer to the exercise before."""
    if way == RIGHT:
        return source
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
            needed |= loaded(parsed(cell)) if cell.cell_type == "code" else set()
        elif cell.cell_type == "code":
            statements = []
            for statement in reversed(parsed(cell).body):
                if (stored(statement) | filled(statement)) & needed:
                    statements.append(narrowed(statement, needed))
                    needed = (needed - stored(statement)) | loaded(statement)
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


def loaded(tree):
    """The global names that some code reads, in its functions too."""
    return {step.argval for code in codes(tree) for step in steps(code) if step.opname in ("LOAD_NAME", "LOAD_GLOBAL")}


def stored(tree):
    """The global names that some code defines."""
    return {step.argval for step in steps(codes(tree)[0]) if step.opname == "STORE_NAME"}


def filled(statement):
    """The names that a call on its own line is given: it may do something to them."""
    call = getattr(statement, "value", None) if isinstance(statement, ast.Expr) else None
    return {argument.id for argument in getattr(call, "args", []) if isinstance(argument, ast.Name)}


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
