"""How often somebody may be wrong: pure counting, the clock is given."""

import pytest

from cockpit.accounts.throttle import ADDRESS, PAIR, USER, WINDOW_S, Throttle, network

DESK = "10.0.0.7"


def failing(throttle: Throttle, user: str, address: str, times: int, now_s: float) -> None:
    for _ in range(times):
        throttle.failed(user, address, now_s)


def test_one_person_is_held_up_alone() -> None:
    """Five mistakes hold up this user at this address for a minute: no colleague, and not the user elsewhere."""
    throttle = Throttle()
    failing(throttle, "Wang", DESK, PAIR - 1, 100)
    assert not throttle.refuses("wang", DESK, 100)
    failing(throttle, "wang", DESK, 1, 100)
    assert throttle.refuses("WANG", DESK, 100 + WINDOW_S - 1)
    assert not throttle.refuses("li", DESK, 100)
    assert not throttle.refuses("wang", "10.0.0.8", 100)
    assert not throttle.refuses("wang", DESK, 100 + WINDOW_S)


def test_coming_in_forgives() -> None:
    throttle = Throttle()
    failing(throttle, "wang", DESK, PAIR - 1, 100)
    throttle.came_in("wang", DESK, 100)
    failing(throttle, "wang", DESK, PAIR - 1, 100)
    assert not throttle.refuses("wang", DESK, 100)


def test_breadth_is_limited_but_not_for_who_is_known_here() -> None:
    """Many names from one address are stopped; whoever logged in from there today still comes in."""
    throttle = Throttle()
    throttle.came_in("li", DESK, 50)
    for number in range(ADDRESS):
        failing(throttle, f"guess{number}", DESK, 1, 100)
    assert throttle.refuses("wang", DESK, 100)
    assert not throttle.refuses("li", DESK, 100)
    assert not throttle.refuses("wang", "10.0.0.8", 100)
    assert not throttle.refuses("wang", DESK, 100 + WINDOW_S)


def test_many_addresses_do_not_shut_a_user_out() -> None:
    """One name from many addresses is stopped everywhere but where its owner logged in lately."""
    throttle = Throttle()
    throttle.came_in("wang", DESK, 50)
    for number in range(USER):
        failing(throttle, "wang", f"192.0.2.{number}", 1, 100)
    assert throttle.refuses("wang", "198.51.100.1", 100)
    assert not throttle.refuses("wang", DESK, 100)
    assert throttle.refuses("wang", DESK, 50 + 24 * 3600) is False


def test_memory_is_bounded() -> None:
    """Failures that are over are forgotten when many names were tried."""
    throttle = Throttle()
    for number in range(5_000):
        throttle.failed(f"guess{number}", f"10.{number // 250}.0.{number % 250}", number)
    assert len(throttle._failures) < 1_500


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::"),
        ("2001:db8:1:2:bbbb::2", "2001:db8:1:2::"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("fe80::1%eth0", "fe80::"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_what_counts_as_one_address(address: str, counted: str) -> None:
    assert network(address) == counted
