"""When a limit is armed, asked for many samples at once: by what is registered, by a tag, by the hour."""

from collections.abc import Callable, Sequence

import numpy as np

from devices.calendar import Place
from devices.signals import Arming, Registered, Tagged, Weekly
from devices.site import Site
from ingest.backtest.columns import Armed, Indexes, Mask, Samples

_MINUTE_MS = 60_000


def armed(
    limit_armed: Sequence[Arming], samples: Samples, names: Sequence[str], tags: Sequence[str], site: Site
) -> Armed:
    """Return what tells whether all of some conditions hold at samples.

    Args:
        limit_armed: conditions that need no other value than the sample's own.
        samples: of several devices.
        names: the devices by number.
        tags: the values of the tag by number.
        site: where devices stand, and what is registered of them.
    """
    tests = [_test(each, samples, names, tags, site) for each in limit_armed]

    def holds(at: Indexes) -> Mask:
        found = np.ones(len(at), np.bool_)
        for test in tests:
            found[found] = test(at[found])
        return found

    return holds


def _test(
    arming: Arming, samples: Samples, names: Sequence[str], tags: Sequence[str], site: Site
) -> Callable[[Indexes], Mask]:
    if isinstance(arming, Registered):
        premises = [site.devices[name].premises if name in site.devices else "" for name in names]
        fit = np.array([arming.holds(each) for each in premises], np.bool_)
        return lambda at: fit[samples.device[at]]
    if isinstance(arming, Tagged):
        said = np.array([arming.holds(each) for each in tags], np.bool_)
        return lambda at: said[samples.tag[at]]
    places = [site.place(name) for name in names]
    if isinstance(arming, Weekly):
        return lambda at: _weekly(arming, samples.t_ms[at], places[0])
    return lambda at: np.array(
        [
            places[device].holds(arming, int(t_ms))
            for device, t_ms in zip(samples.device[at].tolist(), samples.t_ms[at].tolist(), strict=True)
        ],
        np.bool_,
    )


def _weekly(weekly: Weekly, t_ms: Indexes, place: Place) -> Mask:
    # The clock and the holidays are those of the whole site, and a window begins and ends at a whole minute.
    minutes, where = np.unique(t_ms // _MINUTE_MS, return_inverse=True)
    holds = np.array([place.holds(weekly, minute * _MINUTE_MS) for minute in minutes.tolist()], np.bool_)
    return holds[where]
