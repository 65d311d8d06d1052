"""Waiting on a condition instead of sleeping."""

import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def wait_until(condition: Callable[[], Result], timeout: float = 60.0, interval: float = 0.02) -> Result:
    """Call the condition until it is true and return what it returned.

    Raises:
        TimeoutError: it stayed false for `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() >= deadline:
            raise TimeoutError(f"still {result!r} after {timeout} s: {getattr(condition, '__qualname__', condition)}")
        time.sleep(interval)
