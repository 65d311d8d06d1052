"""Faults as a command line names them, ``NAME:WHERE[:key=value]…``, to lie over any day and any scenario."""

from collections.abc import Sequence
from difflib import get_close_matches

from devices.kind import Label
from devices.site import Site
from simulators.errors import UnfitFault
from simulators.scenario import FAULTS, NamedFault, Scenario, Selector, Step

_FOREVER_S = 10 * 365 * 86_400.0
_NUMBERS = ("amount", "share", "at", "for")
_KEYS = (*_NUMBERS, "fields")
_FORM, _EXAMPLE = "NAME:WHERE[:key=value]…", "drift:gas-0042:amount=0.5:fields=conc_pct_lel"


def read_faults(words: Sequence[str], site: Site) -> Scenario:
    """Return faults as a scenario that is nothing else; WHERE is a device, a kind or a street of the site.

    Raises:
        UnfitFault: one of them cannot be understood, or means nothing of the site.
    """
    targets = {str(number): _where(text, site) for number, text in enumerate(words)}
    steps = tuple(_step(text, str(number), targets[str(number)], site) for number, text in enumerate(words))
    label = Label("故障", "Faults")
    return Scenario("faults", label, label, _FOREVER_S, targets, steps, ())


def _where(text: str, site: Site) -> Selector:
    parts = text.split(":")
    if len(parts) < 2:
        raise UnfitFault(text, f"expected {_FORM}, such as {_EXAMPLE}", "fault_form", form=_FORM, example=_EXAMPLE)
    name, where = parts[0], parts[1]
    if name not in FAULTS:
        raise _strange(text, name, "is none", "fault_strange", tuple(FAULTS))
    if where in site.devices:
        return Selector((where,))
    kinds = sorted({device.kind for device in site.devices.values()})
    if where in kinds:
        return Selector(kind=where)
    if where in site.streets:
        return Selector(street=where)
    known = (*site.devices, *kinds, *site.streets)
    raise _strange(text, where, "is no device, kind or street of the site", "fault_nowhere", known, tell=False)


def _step(text: str, target: str, selector: Selector, site: Site) -> Step:
    name, _, *settings = text.split(":")
    numbers: dict[str, float] = {}
    fields: tuple[str, ...] = ()
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or key not in _KEYS:
            sentence = f"{setting!r} is no setting; known are {', '.join(_KEYS)}"
            raise UnfitFault(text, sentence, "fault_setting", found=setting, known=_KEYS)
        if key == "fields":
            fields = tuple(value.split(","))
        else:
            numbers[key] = _number(text, key, value)
    _check(text, name, numbers)
    known = _numbers_of(selector, site)
    for field in fields:
        if field not in known:
            raise _strange(text, field, "is no number that is measured there", "fault_field", known)
    fault = NamedFault(name, fields, numbers.get("amount", 0.0), numbers.get("share", 1.0))
    return Step(target, numbers.get("at", 0.0), numbers.get("for", _FOREVER_S), fault=fault)


def _number(text: str, key: str, value: str) -> float:
    try:
        found = float(value)
    except ValueError:
        found = float("nan")
    # Beyond these a stamp is none any more.
    if not -1e9 <= found <= 1e9:
        raise UnfitFault(text, f"{key} is {value!r}, expected a number", "fault_number", key=key, found=value)
    return found


def _check(text: str, name: str, numbers: dict[str, float]) -> None:
    meaning = FAULTS[name].amount
    if meaning and "amount" not in numbers:
        raise UnfitFault(text, f"{name} needs an amount: {meaning}", "fault_amount_missing", needs=name)
    if not meaning and "amount" in numbers:
        raise UnfitFault(text, f"{name} has no amount", "fault_amount_foreign")
    if name == "late" and numbers["amount"] < 0:
        found = f"{numbers['amount']:g}"
        sentence = f"amount is {found}, nothing is heard before it was said"
        raise UnfitFault(text, sentence, "fault_early", found=found)
    if not 0 < numbers.get("share", 1.0) <= 1:
        found = f"{numbers['share']:g}"
        raise UnfitFault(text, f"share is {found}, expected above 0 and at most 1", "fault_share", found=found)
    if numbers.get("at", 0.0) < 0 or numbers.get("for", 1.0) <= 0:
        raise UnfitFault(text, "expected at of 0 or more and for above 0, both in seconds", "fault_span")


def _numbers_of(selector: Selector, site: Site) -> tuple[str, ...]:
    kinds = {selector.kind} if selector.kind else set()
    kinds |= {site.devices[name].kind for name in selector.ids}
    kinds |= {device.kind for device in site.devices.values() if selector.street and device.street == selector.street}
    measured = (m for key in sorted(kinds) for m in site.catalog.kinds[key].measurements)
    return tuple(field.key for m in measured for field in m.fields if field.type in ("number", "code"))


def _strange(text: str, found: str, sentence: str, code: str, known: tuple[str, ...], tell: bool = True) -> UnfitFault:
    """Return a name that is not known: with the one that was meant, else with all there are, where they are few."""
    close = get_close_matches(found, known, n=1)
    if close:
        meant = close[0]
        return UnfitFault(
            text, f"{found!r} {sentence}; did you mean {meant!r}?", f"{code}_meant", found=found, known=meant
        )
    if not tell:
        return UnfitFault(text, f"{found!r} {sentence}", code, found=found)
    return UnfitFault(text, f"{found!r} {sentence}; known are {', '.join(known)}", code, found=found, known=known)
