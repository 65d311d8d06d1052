"""Sun and weather over the city."""

import math
from datetime import date
from functools import lru_cache
from zoneinfo import ZoneInfo

from astral import Observer
from astral.sun import sunrise, sunset

from simulators.chance import wander
from simulators.moment import DAY_S, Moment

_COUNTED_FROM = date(2025, 1, 1).toordinal()


class Sky:
    """Answers by simulated instant only; the weather is calm, for storms are scenarios."""

    def __init__(self, seed: int, lat: float, lon: float, zone: ZoneInfo) -> None:
        """Stand at one point for the whole city."""
        self._seed = seed
        self._observer = Observer(lat, lon)
        self._zone = zone
        self._burned_s = [0.0]

    def sun(self, day: int) -> tuple[float, float]:
        """Return sunrise and sunset of a local day as seconds after its midnight."""
        return _sun(self._observer.latitude, self._observer.longitude, self._zone, day)

    def dimming(self, moment: Moment, lag_s: float) -> float:
        """Return the commanded dimming in %: on from after sunset to before sunrise, half from midnight to five."""
        rise, set_ = self.sun(moment.day)
        if rise - 300 + lag_s <= moment.day_s < set_ + 300 + lag_s:
            return 0.0
        return 50.0 if moment.day_s < 5 * 3600 else 100.0

    def dark_h(self, moment: Moment) -> float:
        """Return the hours of darkness since the start of 2025."""
        day = moment.day - _COUNTED_FROM
        while len(self._burned_s) <= day:
            rise, set_ = self.sun(_COUNTED_FROM + len(self._burned_s) - 1)
            self._burned_s.append(self._burned_s[-1] + rise + DAY_S - set_)
        rise, set_ = self.sun(moment.day)
        today = min(moment.day_s, rise) + max(0.0, moment.day_s - set_)
        return (self._burned_s[max(day, 0)] + today) / 3600

    def daylight(self, moment: Moment) -> float:
        """Return 0 by night up to 1 at the middle of the day."""
        rise, set_ = self.sun(moment.day)
        if not rise < moment.day_s < set_:
            return 0.0
        return math.sin(math.pi * (moment.day_s - rise) / (set_ - rise))

    def temperature_c(self, moment: Moment) -> float:
        """Return the air temperature: a season, a day, a drift of days."""
        season = -math.cos(math.tau * (moment.date.timetuple().tm_yday - 25) / 365)
        daily = -math.cos(math.tau * (moment.day_s / DAY_S - 0.12))
        return 17 + 11.5 * season + 3.6 * daily + 2.5 * wander(self._seed, "warmth", moment.sim_s, 2.5 * DAY_S)

    def wind_mps(self, moment: Moment) -> float:
        """Return the wind near the ground, never above what a drone may fly in."""
        slow = wander(self._seed, "wind", moment.sim_s, 4 * 3600)
        gust = wander(self._seed, "gust", moment.sim_s, 90)
        return max(0.2, 2.4 + 1.5 * slow + 0.7 * gust)

    def wind_dir_deg(self, moment: Moment) -> float:
        """Return where the wind comes from."""
        return (140 + 120 * wander(self._seed, "direction", moment.sim_s, 9 * 3600)) % 360

    def rain_mmh(self, moment: Moment) -> float:
        """Return the rain rate: dry on most days, a light shower on others."""
        wet = wander(self._seed, "rain", moment.sim_s, 7 * 3600)
        return max(0.0, (wet - 0.72) * 7)


@lru_cache(maxsize=8192)
def _sun(lat: float, lon: float, zone: ZoneInfo, day: int) -> tuple[float, float]:
    observer, on = Observer(lat, lon), date.fromordinal(day)
    try:
        rise, set_ = sunrise(observer, on, tzinfo=zone), sunset(observer, on, tzinfo=zone)
    except ValueError:
        # Beyond the polar circle the lamps keep office hours.
        return 6 * 3600.0, 18 * 3600.0
    return tuple(at.hour * 3600.0 + at.minute * 60 + at.second for at in (rise, set_))  # type: ignore[return-value]
