"""The result of a back-test with instants and names for people."""

from cockpit.rule_words import Document, codes_of, in_each, unit_name
from cockpit.times import rfc3339
from devices.catalog import Catalog
from devices.kind import Field
from devices.site import Site
from ingest.alarms.rules import rule_label


def named(result: Document, site: Site) -> Document:
    """Change a result in place, and return it."""
    zone, catalog = site.timezone, site.catalog
    result["not_judged"] = [
        {"rule": rule, "name": in_each(rule_label(rule, catalog))} for rule in result.get("not_judged", ())
    ]
    lists = [result[key]["items"] for key in ("vanish", "appear", "moved")] + [result["verdicts"]["missed_items"]]
    for item in (item for items in lists for item in items):
        item["at"], item["until"] = rfc3339(item["at"], zone), rfc3339(item["until"], zone)
        item["rule_name"] = in_each(rule_label(item["rule"], catalog))
        item["unit_label"] = unit_name(item["unit"])
        item["codes"] = codes_of(_measured(item["rule"], catalog))
        if "readings" in item:
            item["readings"] = [
                {"at": rfc3339(at, zone), "value": value, "quality": quality} for at, value, quality in item["readings"]
            ]
            item["readings_unit"] = unit_name(item["readings_unit"])
    return result


def _measured(rule_id: str, catalog: Catalog) -> Field | None:
    """Return the field whose values a rule judges; None for silence, for a group, and for what is no more."""
    kind_key, _, rest = rule_id.partition(".")
    field_key, _, limit_key = rest.partition(".")
    kind = catalog.kinds.get(kind_key)
    if kind is None or not limit_key:
        return None
    return next((field for each in kind.measurements for field in each.fields if field.key == field_key), None)
