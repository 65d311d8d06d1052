"""What is wrong with a draft of rules, each fault in parts that a page can say in its reader's language.

A fault is one English sentence, made where site files are read, for a console and a log. The most frequent ones are
known here by their form; any other stays as it is, which is better than nothing. ``problem_words.mjs`` says them.
"""

from collections.abc import Iterable
from typing import Any

from cockpit.sentence_forms import Forms

Document = dict[str, Any]

_NUMBER = r"-?[\d.e+-]+"
_FORMS = Forms(
    ("not_a_kind", r"'(?P<found>.*)' is not a kind; did you mean '(?P<known>.*)'\?"),
    ("no_such_kind", r"'(?P<found>.*)' is not a kind.*"),
    ("field_meant", r"'(?P<found>.*)' has no limits; did you mean '(?P<known>.*)'\?"),
    ("field_of", r"'(?P<found>.*)' has no limits; fields with limits are (?P<known>.*)"),
    ("field_none", r"'(?P<found>.*)' has no limits; no field of (?P<known>.*) has any"),
    ("field_missing", r"expected a field, found none(?:; .*)?"),
    ("no_such_limit", r"expected one of the limits (?P<known>.*?)(, found (?P<found>.*))?"),
    ("scope_missing", r"expected one of device, circuit, street, found (?P<found>.*)"),
    ("scope_empty", r"'(?P<found>.*)' holds no (?P<kind>\S*); the limit would be for nobody"),
    ("group_scope", r"'(?P<found>.*)' looks at a whole (?P<known>\S+); expected a .*"),
    ("twice", r"\S+ '(?P<found>.*)' has this limit in another table already"),
    ("count_of_numbers", r"expected (?P<count>\d+) numbers, found (?P<found>.*)"),
    ("priorities", r"expected (?P<count>\d+) of (?P<known>P1[^']*), found (?P<found>.*)"),
    ("no_number", r"expected a number, found (?P<found>.*)"),
    ("wrong_unit", r"expected '(?P<known>.*)', the unit of the limit, found (?P<found>.*)"),
    ("no_setting", r"is not a setting of a limit; known are (?P<known>.*)"),
    ("grade", r"expected one of A, B, C, found (?P<found>.*)"),
    ("hours", r'expected such as "22:00-06:00", found (?P<found>.*)'),
    ("days", r'expected such as "mon-fri" or "sat sun", found (?P<found>.*)'),
    ("true_or_false", r"expected true or false, found (?P<found>.*)"),
    ("source_text", r"expected a text, or one in zh and one in en, found (?P<found>.*)"),
    ("source_none", r"expected a source"),
    ("no_table", r"expected a table(?: of fields)?, found (?P<found>.*)"),
    ("empty", r"the draft changes nothing; expected limits, limits_for or withdraw"),
    ("withdrawal_word", r"is not a word of a withdrawal; known are (?P<known>.*)"),
    ("nothing_to_withdraw", r"no revision has changed the limit of (?P<found>.*); there is nothing to withdraw"),
    ("negative", r"deadband and delays must not be negative"),
    ("never_fires", rf"on_s (?P<found>{_NUMBER}) must be shorter than stale_after_s (?P<known>{_NUMBER}), .*"),
    ("order", rf"level (?P<level>\d+): (?P<found>{_NUMBER}) must be worse than the level before it"),
    ("never_left", rf"deadband (?P<found>{_NUMBER}): level 1 of (?P<level>{_NUMBER}) is never left, .*"),
    ("over_cap", rf"level 1: (?P<found>{_NUMBER}) is looser than the cap of (?P<known>{_NUMBER})"),
    ("looser", rf"level (?P<level>\d+): (?P<found>{_NUMBER}) is looser than the (?P<known>{_NUMBER}) of a .*"),
    ("milder", r"level (?P<level>\d+): (?P<found>\S+) is milder than the (?P<known>\S+) of a capped limit"),
    ("capped_state", rf"level (?P<level>\d+): state (?P<found>{_NUMBER}) in place of the (?P<known>{_NUMBER}) .*"),
    ("capped_more", rf"(?P<what>deadband|on_s) (?P<found>{_NUMBER}) is l\w+ than the (?P<known>{_NUMBER}) of a .*"),
    ("capped_less", rf"(?P<what>off_s) (?P<found>{_NUMBER}) is shorter than the (?P<known>{_NUMBER}) of a .*"),
    ("capped_armed", r"a capped limit is always armed"),
    ("too_few", rf"level (?P<level>\d+): (?P<found>{_NUMBER}) is too few; expected (?P<known>\d+) or more"),
    ("no_code", rf"state (?P<found>{_NUMBER}) is not among the codes"),
)


def parted(faults: Iterable[str]) -> list[Document]:
    """Return faults (``where: sentence``) as where, code and values; without a code they hold only the sentence."""
    return [_parted(fault) for fault in faults]


def _parted(fault: str) -> Document:
    where, _, sentence = fault.partition(": ")
    code, values = _FORMS.of(sentence)
    return {"where": where, "sentence": sentence, "code": code, "values": values}
