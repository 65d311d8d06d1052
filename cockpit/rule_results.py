"""The result of a back-test with instants and names for people."""

from cockpit.rule_words import Document, codes_of, in_each, unit_name
from cockpit.times import rfc3339
from devices.site import Site
from ingest.alarms.rules import Rule, kind_book, rule_label


def named(result: Document, site: Site) -> Document:
    """Change a result in place, and return it."""
    zone, catalog = site.timezone, site.catalog
    result["not_judged"] = [
        {"rule": rule, "name": in_each(rule_label(rule, catalog))} for rule in result.get("not_judged", ())
    ]
    measured = {
        key: catalog.kinds[rule.kind].field(rule.field)
        for key, rule in kind_book(catalog).by_id.items()
        if isinstance(rule, Rule) and rule.kind in catalog.kinds
    }
    lists = [result[key]["items"] for key in ("vanish", "appear", "moved")] + [result["verdicts"]["missed_items"]]
    for item in (item for items in lists for item in items):
        item["at"], item["until"] = rfc3339(item["at"], zone), rfc3339(item["until"], zone)
        item["rule_name"] = in_each(rule_label(item["rule"], catalog))
        item["unit_label"] = unit_name(item["unit"])
        item["codes"] = codes_of(measured.get(item["rule"]))
        if "readings" in item:
            item["readings"] = [
                {"at": rfc3339(at, zone), "value": value, "quality": quality} for at, value, quality in item["readings"]
            ]
            item["readings_unit"] = unit_name(item["readings_unit"])
    return result
