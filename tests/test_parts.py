"""Exercises with parts: which points are earned, what is said, and what nbgrader makes of it."""

import nbformat
import pytest

from glowsep import check
from glowsep.check import CheckError, Parts


def outcome(parts, **outcomes):
    """The parts after a test of each: it raised what is given, or nothing where that is None."""
    for name, error in outcomes.items():
        with parts(name):
            if error is not None:
                raise error
    return parts


def test_all_parts_are_right(capsys):
    parts = outcome(Parts({"dx": 1, "x": 2}), dx=None, x=None)
    parts.report()
    assert parts.points() == 3
    assert capsys.readouterr().out == "visible tests passed\n3 of 3 points\n"


def test_what_is_right_keeps_its_points_and_what_is_wrong_is_told_once(capsys):
    parts = outcome(Parts({"dx": 1, "x": 2}), dx=CheckError("dx is wrong"), x=None)
    parts.report()
    assert parts.points() == 2
    assert capsys.readouterr().out == "dx is wrong\nx: right\n2 of 3 points\n"


@pytest.mark.parametrize("when", ["report", "points"])
def test_where_nothing_is_right_all_failures_are_raised_as_one(when, capsys):
    parts = outcome(Parts({"dx": 1, "x": 2}), x=CheckError("backward: x is wrong"), dx=NotImplementedError())
    with pytest.raises(CheckError) as caught:
        getattr(parts, when)()
    assert str(caught.value) == "x: backward: x is wrong\ndx: not written yet\n0 of 3 points"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("when", ["report", "points"])
def test_where_nothing_is_written_yet_that_is_what_is_raised(when):
    parts = outcome(Parts({"dx": 1, "x": 2}), x=NotImplementedError(), dx=NotImplementedError())
    with pytest.raises(NotImplementedError):
        getattr(parts, when)()


def test_a_message_that_begins_with_its_part_does_not_name_it_twice(capsys):
    outcome(Parts({"x": 1, "dx": 1}), x=CheckError("x is wrong"), dx=None).report()
    outcome(Parts({"x": 1, "dx": 1}), x=CheckError("xs are wrong"), dx=None).report()
    assert capsys.readouterr().out == "x is wrong\ndx: right\nx: xs are wrong\ndx: right\n"


def test_a_part_that_was_once_wrong_stays_so(capsys):
    parts = outcome(Parts({"dx": 1, "x": 2}), dx=CheckError("the first"), x=None)
    outcome(parts, dx=CheckError("the second"))
    outcome(parts, dx=None)
    parts.report()
    assert parts.points() == 2
    assert capsys.readouterr().out == "dx: the first\nx: right\n2 of 3 points\n"


def test_a_hidden_test_takes_away_the_points_of_its_part_alone(capsys):
    parts = outcome(Parts({"dx": 1, "x": 2}), dx=None, x=None)
    parts.report()
    outcome(parts, x=CheckError("x is wrong for other shapes"))
    assert parts.points() == 1
    assert capsys.readouterr().out == "visible tests passed\nx is wrong for other shapes\n1 of 3 points\n"
    outcome(parts, dx=CheckError("so is dx"))
    with pytest.raises(CheckError, match="x is wrong for other shapes\ndx: so is dx\n0 of 3 points"):
        parts.points()


def test_what_an_error_leaves_undefined_fails_in_the_next_part_too():
    parts = Parts({"dx": 1, "x": 2, "dW": 4})
    with parts("dx"):
        result = [][0]
    with parts("x"):
        assert result
    outcome(parts, dW=None)
    assert parts.points() == 4


def test_an_error_outside_of_every_part_is_the_whole_answer_s():
    with pytest.raises(CheckError, match="two things"):
        parts = Parts({"dx": 1})
        dx, _ = check.several("backward", 1.0, "dx", "x")
        outcome(parts, dx=None)


def test_an_interrupt_is_no_wrong_answer():
    """nbgrader interrupts a cell that runs too long: it must end, and count as an error."""
    with pytest.raises(KeyboardInterrupt):
        outcome(Parts({"dx": 1, "x": 2}), dx=KeyboardInterrupt())


def test_parts_that_nothing_tests_or_that_there_are_not_are_refused():
    parts = outcome(Parts({"dx": 1, "x": 2}), dx=None)
    for ask in (parts.report, parts.points):
        with pytest.raises(ValueError, match="nothing tests the part 'x'"):
            ask()
    with pytest.raises(ValueError, match="there is no part 'dy', only 'dx', 'x'"):
        outcome(parts, dy=None)


def test_an_error_that_no_test_raised_names_the_line(capsys):
    parts = outcome(Parts({"x": 1, "dx": 1, "dW": 1}), x=None, dx=NotImplementedError())
    with parts("dW"):
        [][0]
    parts.report()
    said = capsys.readouterr().out.splitlines()
    assert said[1] == "dx: not written yet"
    assert said[2] == "dW: IndexError: list index out of range (in the line `[][0]`)"


def test_the_line_that_is_named_is_the_student_s_and_not_the_package_s(capsys):
    parts = outcome(Parts({"x": 1, "dx": 1}), x=None)
    with parts("dx"):
        check.gradient(lambda x: x.sum(), lambda x: x[0, 0, 0], [1.0])
    parts.report()
    assert "(in the line `check.gradient(" in capsys.readouterr().out


def graded(*outputs):
    """The points that nbgrader gives a cell worth 3, from its outputs."""
    utils = pytest.importorskip("nbgrader.utils")
    metadata = {"nbgrader": {"grade": True, "solution": False, "points": 3}}
    return utils.determine_grade(nbformat.v4.new_code_cell(outputs=list(outputs), metadata=metadata))[0]


def test_nbgrader_reads_the_points_and_no_number_that_is_printed():
    points = outcome(Parts({"dx": 1, "x": 2}), dx=None, x=CheckError("3")).points()
    result = nbformat.v4.new_output("execute_result", {"text/plain": repr(points)})
    printed = nbformat.v4.new_output("stream", text="3\n")
    assert graded(result) == graded(printed, result) == 1
