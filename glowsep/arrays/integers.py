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
