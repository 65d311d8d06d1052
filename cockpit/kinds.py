"""Kinds and the site as documents: everything a page needs to draw devices it knows nothing of."""

from typing import Any

from devices.kind import Field, Kind, Label, Measurement, in_both
from devices.site import Site
from devices.units import UNITS

Document = dict[str, Any]


def kind_document(kind: Kind) -> Document:
    """Return a kind's table as JSON."""
    silence = kind.no_data
    return {
        "key": kind.key,
        "name": {"zh": kind.zh, "en": kind.en},
        "source": _both(kind.source),
        "shape": kind.shape,
        "headline": kind.headline,
        "moving": kind.moving,
        "period_s": kind.period_s,
        "stale_after_s": kind.stale_after_s,
        "no_data": None
        if silence is None
        else {
            "rule": f"{kind.key}.no_data",
            "after_s": silence.after_s,
            "priority": silence.priority,
            "source": _both(silence.source),
            "grade": silence.grade,
        },
        "measurements": [_measurement(kind, measurement) for measurement in kind.measurements],
    }


def _measurement(kind: Kind, measurement: Measurement) -> Document:
    return {
        "key": measurement.key,
        "name": {"zh": measurement.zh, "en": measurement.en},
        "channels": list(measurement.channels),
        "passage": measurement.passage,
        "fields": [_field(kind, field) for field in measurement.fields],
    }


def _field(kind: Kind, field: Field) -> Document:
    unit = UNITS[field.unit]
    return {
        "key": field.key,
        "name": {"zh": field.zh, "en": field.en},
        "type": field.type,
        "unit": field.unit,
        "unit_label": {"zh": unit.zh, "en": unit.en},
        "low": field.low,
        "high": field.high,
        "resolution": field.resolution,
        "codes": {str(code): {"zh": label.zh, "en": label.en} for code, label in field.codes.items()},
        "live": field.live,
        "tag": field.tag,
        "limits": [
            {
                "rule": f"{kind.key}.{field.key}.{limit.key}",
                "key": limit.key,
                "name": {"zh": limit.zh, "en": limit.en},
                "sense": limit.sense,
                "levels": [{"level": s.level, "value": s.value, "priority": s.priority} for s in limit.levels],
                "deadband": limit.deadband,
                "on_s": limit.on_s,
                "off_s": limit.off_s,
                "latch": limit.latch,
                "passage": limit.passage,
                "of_values": limit.of_values,
                "source": _both(limit.source),
                "grade": limit.grade,
            }
            for limit in field.limits
        ],
    }


def _both(source: str | Label) -> Document:
    found = in_both(source)
    return {"zh": found.zh, "en": found.en}


def site_document(site: Site, asset_version: str) -> Document:
    """Return names, streets, units and kinds of a site."""
    return {
        "name": {"zh": site.label.zh, "en": site.label.en},
        "simulated": site.simulated,
        "timezone": site.timezone.key,
        "asset_version": asset_version,
        "districts": [
            {
                "key": district.key,
                "name": {"zh": district.label.zh, "en": district.label.en},
                "streets": [
                    {
                        "key": street.key,
                        "name": {"zh": street.label.zh, "en": street.label.en},
                        "polygon": [list(corner) for corner in street.polygon],
                    }
                    for street in district.streets
                ],
            }
            for district in site.districts
        ],
        "units": [
            {
                "key": unit.key,
                "name": {"zh": unit.label.zh, "en": unit.label.en},
                "phone": unit.phone,
                "duty": unit.duty,
            }
            for unit in site.units.values()
        ],
        "kinds": [kind_document(kind) for kind in site.catalog.kinds.values()],
    }
