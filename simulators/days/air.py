"""Air stations on poles: weather, particles and noise of the place and the hour."""

import math

from devices.site import Device
from simulators.chance import draws, wander
from simulators.days.traffic import HOUR_SHARES
from simulators.moment import DAY_S, Moment
from simulators.report import Data
from simulators.setting import Setting


def air(setting: Setting, device: Device, moment: Moment) -> Data:
    """Return what a station measures; the air stays fair, a bad day is a scenario."""
    seed, sky = setting.seed, setting.sky
    own, now = draws(seed, device.id, "air"), draws(seed, device.id, "air", moment.real_ms)
    busy = busyness(moment.day_s)
    stuffy = -math.cos(math.tau * (moment.day_s / DAY_S - 0.85))
    pm25 = 24 + 9 * wander(seed, "haze", moment.sim_s, 14 * 3600) + 3 * stuffy + 6 * busy + 4 * own[0] + 2 * now[0]
    warmth = sky.temperature_c(moment) + 0.8 * own[1] + 0.2 * now[1]
    wind = sky.wind_mps(moment) * (0.7 + 0.5 * own[2])
    daylight = sky.daylight(moment)
    return {
        "pm25_ugm3": pm25,
        "pm10_ugm3": pm25 * (1.5 + 0.15 * own[3]) + 6 * busy,
        "temp_c": warmth,
        "rh_pct": min(97.0, max(22.0, 66 - 1.9 * (warmth - 17) + 14 * wander(seed, "damp", moment.sim_s, 20 * 3600))),
        "pressure_hpa": 1016 + 7 * wander(seed, "pressure", moment.sim_s, 2 * DAY_S) + 0.1 * now[2],
        "wind_mps": wind,
        "wind_dir_deg": (sky.wind_dir_deg(moment) + 30 * now[3] - 15) % 360,
        "noise_dba": (46 if device.noise_class == "4a" else 40) + 15 * busy + 4 * own[4] + 3 * now[4],
        "lux": 14 + 6 * now[5] if daylight == 0 else 200 + 62000 * daylight * (0.75 + 0.2 * now[5]),
        "rain_mmh": sky.rain_mmh(moment),
        "no2_ugm3": 18 + 22 * busy + 8 * own[5] + 2 * now[6],
        "so2_ugm3": 6 + 2 * own[6] + now[7],
        "o3_ugm3": 30 + 70 * daylight + 6 * now[8],
        "co_mgm3": 0.5 + 0.4 * busy + 0.1 * now[9],
    }


def busyness(day_s: float) -> float:
    """Return how busy the roads are, 0 to 1, smooth over the hours."""
    hour, share = divmod(day_s / 3600 - 0.5, 1.0)
    before, after = HOUR_SHARES[int(hour) % 24], HOUR_SHARES[(int(hour) + 1) % 24]
    return (before + (after - before) * share) / max(HOUR_SHARES)
