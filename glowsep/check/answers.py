"""What the tests of an exercise ask before they compare numbers: is there an answer, and has it the form asked for?

Every test cell of the chapters begins with ``own``: an inherited method, an imported function, or what an earlier
exercise left behind is no answer. The others take what a student may well hand in (a list for a tuple, a 0-d array for
a number, ``" b "`` for ``"B"``) and say in words what they cannot take.
"""

import dis
import inspect
import re
from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np

from glowsep.check.verdict import CheckError, described, fail

MISSING = object()
WRITES_INTO_NONE = re.compile(r"'NoneType' object does not support item assignment|for \+=?: 'NoneType' and")
NOT_ANSWERED = "not answered yet: write it in the cell above, in place of `raise NotImplementedError`"
WORDS = ("no", "one", "two", "three", "four", "five", "six")


def own(*names: str) -> None:
    """See that a notebook's cells have defined ``names`` themselves; the first line of an exercise's tests.

    Parameters
    ----------
    *names : str
        ``"sdr"`` for a function or a variable, ``"ActNorm.inverse"`` for a method that a class must have of its own,
        not by inheritance. They are looked up where this function is called.

    Raises
    ------
    CheckError
        If a name is missing, or if it is the package's.
    NotImplementedError
        If a variable is still None, or every function does nothing but raise this error, as they were handed out.

    Examples
    --------
    >>> half = 0.5
    >>> own("half")
    """
    namespace = inspect.currentframe().f_back.f_globals
    answers = []
    for name in names:
        first, _, method = name.partition(".")
        answer = namespace.get(first, MISSING)
        if method:
            answer = vars(answer).get(method, MISSING) if inspect.isclass(answer) else MISSING
        if answer is MISSING or _is_the_packages(answer):
            fail(
                name,
                f"the cell above defines no `{name}` of its own: is the name right, has the cell run without error?",
            )
        if answer is None:
            raise NotImplementedError(f"set `{name}` in the cell above, and run it")
        answers.append(answer)
    if all(map(_is_as_handed_out, answers)):  # with one of several written, the others may cost only their part
        raise NotImplementedError(f"`{names[0]}` is {NOT_ANSWERED}")


def _is_as_handed_out(answer):
    """Whether a function does nothing but raise NotImplementedError."""
    code = getattr(answer, "__code__", None)
    if code is None or code.co_names != ("NotImplementedError",):
        return False
    return not any(step.opname.startswith(("RETURN", "YIELD")) for step in dis.get_instructions(code))


def _is_the_packages(answer):
    """Whether it was imported, or set to what should have been written."""
    return str(getattr(answer, "__module__", "")).partition(".")[0] == "glowsep"


def call(function: Callable, *arguments: Any) -> Any:
    """What ``function`` returns. It is called with copies of arrays, and must leave them as they are.

    Raises
    ------
    CheckError
        If it takes other arguments, changes an array that it was given, writes into a gradient that is still None, or
        returns nothing.
    NotImplementedError
        If it raises one, with a message that says that this is not answered yet.

    Examples
    --------
    >>> call(np.negative, np.ones(2))
    array([-1., -1.])
    """
    name = getattr(function, "__qualname__", getattr(function, "__name__", "the function"))
    try:
        parameters = list(inspect.signature(function).bind(*arguments).arguments)
    except TypeError as error:
        fail(name, f"{error}; keep the line that begins with `def` as it was handed out")
    except ValueError:  # a function without a signature, such as NumPy's
        parameters = [f"number {place + 1}" for place in range(len(arguments))]
    copies = [argument.copy() if isinstance(argument, np.ndarray) else argument for argument in arguments]
    try:
        result = function(*copies)
    except TypeError as error:
        if WRITES_INTO_NONE.search(str(error)):
            hint = "is it a gradient? At first it is None: make a new array, `self.dname = ...`, no `[:] =`, no `+=`"
            raise CheckError(f"{name}: {error}; {hint}") from error
        raise
    except NotImplementedError as error:
        raise NotImplementedError(str(error) or f"`{name}` is {NOT_ANSWERED}") from error
    for parameter, argument, copy in zip(parameters, arguments, copies, strict=False):
        if isinstance(argument, np.ndarray) and not np.array_equal(argument, copy, equal_nan=True):
            fail(
                name,
                f"the argument `{parameter}` was changed, but must stay as it is: "
                "`a = a * b` makes a new array, where `a *= b` writes into the caller's",
            )
    if result is None:
        fail(name, "returns nothing: is there a return?")
    return result


def number(where: str, what: str, value: Any) -> float:
    """One real number as a Python float, from Python's or NumPy's or an array without axes.

    Raises
    ------
    CheckError
        If ``value`` is anything else.

    Examples
    --------
    >>> number("mean", "the mean", np.array(0.5, np.float32))
    0.5
    """
    if value is None:
        fail(where, f"{what} is None, but must be a number: is there a return?")
    is_numpys = isinstance(value, np.ndarray | np.generic) and np.ndim(value) == 0 and value.dtype.kind in "iuf"
    if not isinstance(value, Real) and not is_numpys:
        hint = ": is a sum or a mean missing?" if isinstance(value, np.ndarray) else ""
        fail(where, f"{what} must be one real number, but is {described(value)}{hint}")
    return float(value)


def several(where: str, value: Any, *names: str) -> tuple:
    """The things that a function returns together, in a tuple or a list.

    Raises
    ------
    CheckError
        If they are not as many as ``names``.

    Examples
    --------
    >>> several("split", [1, 2], "the first", "the second")
    (1, 2)
    """
    if not isinstance(value, tuple | list) or len(value) != len(names):
        came = f"{len(value)} things" if isinstance(value, tuple | list) else described(value)
        wanted = f"{', '.join(names[:-1])} and {names[-1]}"
        fail(where, f"must return {WORDS[len(names)]} things, {wanted}, but returns {came}")
    return tuple(value)


def numbers(where: str, value: Any, *names: str) -> list[float]:
    """The numbers that a function returns together, in a tuple, a list or an array.

    Raises
    ------
    CheckError
        If they are not as many as ``names``, or if one of them is no number.

    Examples
    --------
    >>> numbers("interval", np.array([1.0, 2.0]), "low", "high")
    [1.0, 2.0]
    """
    parts = several(where, list(value) if isinstance(value, np.ndarray) and value.ndim == 1 else value, *names)
    return [number(where, name, part) for name, part in zip(names, parts, strict=True)]


def letter(name: str, value: Any, letters: str) -> str:
    """The chosen one of ``letters``, whatever its case and the blanks around it.

    Raises
    ------
    CheckError
        If ``value`` is none of them.

    Examples
    --------
    >>> letter("answer", " b ", "ABC")
    'B'
    """
    chosen = value.strip().upper() if isinstance(value, str) else None
    if chosen is None or len(chosen) != 1 or chosen not in letters.upper():
        fail(name, f"is {value!r}, but must be one of the letters {', '.join(letters)}, in quotation marks")
    return letters[letters.upper().index(chosen)]
