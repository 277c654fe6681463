"""What counts as an answer to an exercise, and what is said of everything else."""

from types import SimpleNamespace

import numpy as np
import pytest

from glowsep import check
from glowsep.check import CheckError

NO_OWN = "the cell above defines no `{}` of its own"


def ask(*names, cells=""):
    """``own`` as a notebook's cell calls it, after the cells given."""
    namespace = {"glowsep": __import__("glowsep"), "own": check.own, "__name__": "__main__"}
    exec(cells, namespace)
    exec(f"own(*{names!r})", namespace)


RIGHT = "class ActNorm(glowsep.ActNorm):\n    def inverse(self, z):\n        return z"


@pytest.mark.parametrize(
    ("names", "cells"),
    [
        (["ActNorm.inverse"], RIGHT),
        (["double"], "def double(x): return 2 * x"),
        (["double"], "double = lambda x: 2 * x"),
        (["half", "twice"], "half, twice = 0, 2"),
    ],
)
def test_an_answer_of_one_s_own_is_one(names, cells):
    ask(*names, cells=cells)


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("ActNorm.inverse", ""),
        ("ActNorm.inverse", "class ActNorm(glowsep.ActNorm): pass"),
        ("ActNorm.inverse", RIGHT.replace("inverse", "invrese")),
        ("ActNorm.inverse", RIGHT.replace("inverse", "forward")),  # what an earlier exercise left
        ("ActNorm.inverse", "from glowsep import ActNorm"),
        ("ActNorm.inverse", "class ActNorm(glowsep.ActNorm):\n    inverse = glowsep.ActNorm.inverse"),
        ("ActNorm.inverse", "class ActNorm(glowsep.ActNorm): pass\ndef inverse(self, z): return z"),  # not indented
        ("ActNorm.inverse", "def inverse(self, z): return z"),
        ("ActNorm.inverse", "def ActNorm(inverse): pass"),
        ("double", ""),
        ("double", "def duoble(x): return 2 * x"),
        ("sdr", "from glowsep.metrics import sdr"),
        ("half", "haf = 0"),
    ],
)
def test_what_is_nobody_s_own_is_none(name, cells):
    with pytest.raises(CheckError, match=NO_OWN.format(name)):
        ask(name, cells=cells)


def test_a_variable_as_it_was_handed_out_is_not_implemented():
    with pytest.raises(NotImplementedError, match="set `twice` in the cell above"):
        ask("half", "twice", cells="half, twice = 0, None")


UNWRITTEN = "def {}(x):\n    'What it returns.'\n    # your code here\n    raise NotImplementedError\n"
NOT_ANSWERED = "`{}` is not answered yet: write it in the cell above, in place of `raise NotImplementedError`"


@pytest.mark.parametrize(
    ("names", "cells"),
    [
        (["double"], UNWRITTEN.format("double")),
        (["double"], UNWRITTEN.format("double") + "()"),
        (["double", "halve"], UNWRITTEN.format("double") + UNWRITTEN.format("halve")),
        (
            ["ActNorm.inverse"],
            "class ActNorm(glowsep.ActNorm):\n    def inverse(self, z):\n        raise NotImplementedError()",
        ),
    ],
)
def test_a_function_as_it_was_handed_out_is_not_answered_yet(names, cells):
    with pytest.raises(NotImplementedError, match=NOT_ANSWERED.format(names[0])):
        ask(*names, cells=cells)


@pytest.mark.parametrize(
    "cells",
    [
        "def double(x):\n    if x < 0:\n        raise NotImplementedError\n    return 2 * x",
        UNWRITTEN.format("halve") + "def double(x): return 2 * x",
    ],
)
def test_a_function_that_is_begun_is_an_answer(cells):
    """What it is worth, the tests say: one of two functions may earn a part of the points."""
    ask("double", cells=cells)
    ask(*[name for name in ("double", "halve") if f"def {name}" in cells], cells=cells)


def test_a_call_says_what_is_not_answered_yet():
    namespace = {}
    exec(UNWRITTEN.format("double"), namespace)
    with pytest.raises(NotImplementedError, match=NOT_ANSWERED.format("double")):
        check.call(namespace["double"], np.ones(2))

    def refuses(x):
        raise NotImplementedError("my own words")

    with pytest.raises(NotImplementedError, match="^my own words$"):
        check.call(refuses, np.ones(2))


def test_a_call_hands_copies_and_says_which_was_changed():
    x = np.ones(2)

    def adds(x, y):
        x += y
        return x

    with pytest.raises(CheckError, match=r"adds: the argument `x` was changed"):
        check.call(adds, x, 2.0)
    assert (x == 1).all()
    assert (check.call(lambda x, y=1: x + y, x) == 2).all()


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: None, "returns nothing: is there a return"),
        (lambda x, y: x, "missing a required argument: 'y'; keep the line"),
        (lambda: 1, "too many positional arguments; keep the line"),
    ],
)
def test_a_call_says_what_is_not_an_answer(function, message):
    with pytest.raises(CheckError, match=message):
        check.call(function, np.ones(1))


@pytest.mark.parametrize("slip", ["layer.dw[:] = x", "layer.dw += x", "layer.dw += x.sum()"])
def test_writing_into_a_gradient_that_is_still_none_is_explained(slip):
    namespace = {"layer": SimpleNamespace(dw=None)}
    exec(f"def backward(x):\n    {slip}\n    return x", namespace)
    with pytest.raises(CheckError, match="backward: .*NoneType.*; is it a gradient"):
        check.call(namespace["backward"], np.ones(2))


def test_other_type_errors_of_an_answer_stay_what_they_are():
    with pytest.raises(TypeError, match="NoneType"):
        check.call(lambda x: len(None), np.ones(2))


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.array(2), np.array(2.0, np.float32), np.int64(2)])
def test_a_number_may_come_in_any_form(value):
    assert type(check.number("f", "the sum", value)) is float
    assert check.numbers("f", [value, value], "a", "b") == [2.0, 2.0]


@pytest.mark.parametrize("value", [None, np.ones(2), [2.0], "2", 2j, np.array(2j), np.array("2")])
def test_what_is_no_number_is_described(value):
    with pytest.raises(CheckError, match=r"f: the sum (is None|must be one real number)"):
        check.number("f", "the sum", value)


@pytest.mark.parametrize("value", [(1, 2, 3), [1, 2, 3], np.array([1.0, 2, 3])])
def test_three_numbers_may_come_together_in_any_form(value):
    assert check.numbers("f", value, "the loss", "dmu", "ds") == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("value", "came"), [((1, 2), "2 things"), (1.0, "a float"), (np.ones((3, 2)), r"shape \(3, 2\)")]
)
def test_too_few_things_are_counted(value, came):
    for ask_for in (check.several, check.numbers):
        with pytest.raises(CheckError, match=rf"f: must return three things, dx, ds and db, but returns .*{came}"):
            ask_for("f", value, "dx", "ds", "db")


def test_an_array_is_not_taken_apart_for_its_rows():
    with pytest.raises(CheckError, match="two things, z and logdet, but returns an array"):
        check.several("ActNorm.forward", np.ones((2, 3, 4)), "z", "logdet")


def test_a_letter_may_be_written_either_way():
    assert [check.letter("best", text, "abc") for text in (" b ", "B", "b")] == ["b"] * 3
    for wrong in ("d", "ab", "", None, 2):
        with pytest.raises(CheckError, match="best: is .*, but must be one of the letters a, b, c"):
            check.letter("best", wrong, "abc")
