"""Whole numbers divided without leaving them: exact, however large they are."""


def ceil_divide(a: int, b: int) -> int:
    """``a / b``, rounded up: how many pieces of ``b`` hold ``a`` things.

    Floats cannot do that for large numbers: ``math.ceil(a / b)`` is off by one where ``a / b`` rounds to an integer.

    Examples
    --------
    >>> ceil_divide(7, 3), ceil_divide(6, 3), ceil_divide(0, 3), ceil_divide(10**17 + 1, 10)
    (3, 2, 0, 10000000000000001)
    """
    return -(-a // b)


def require_whole(lowest: int, **numbers: int) -> None:
    """Refuse what is no whole number of at least ``lowest``.

    Raises
    ------
    ValueError
        Names the first such number.

    Examples
    --------
    >>> require_whole(1, levels=12, filters=0)
    Traceback (most recent call last):
        ...
    ValueError: filters is 0, expected a whole number of at least 1
    """
    for name, value in numbers.items():
        if type(value) is not int or value < lowest:
            raise ValueError(f"{name} is {value!r}, expected a whole number of at least {lowest}")
