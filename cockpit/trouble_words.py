"""What went wrong with a recording, or with a process that plays or judges one, in parts for a page.

It is told in one English sentence, for a console and a log, and often by another process. The most frequent ones are
known here by their form; of any other a page says in another language only that the server's log tells more.
"""

import errno
import os
import re
from pathlib import Path
from typing import Any

from cockpit.sentence_forms import Forms

Document = dict[str, Any]

_FORMS = Forms(
    ("site_unfit", r"(?P<file>[^\n]+?): (?P<count>\d+) faults?\s.*"),
    ("span_silent", r"(?:nothing|no message)(?: of such devices)? was (?:recorded|received) in that span.*"),
    ("holds_nothing", r"(?P<file>.*) holds no (?:journal|message)"),
    ("foreign_kind", r"the recording has the kind (?P<found>.*), which this site does not know; .*"),
    ("no_recording", r"(?P<file>.*) is no CityDeck recording(?:, or cut off)?"),
    ("recording_newer", r"(?P<file>.*) is of version (?P<found>\S+); this CityDeck reads up to (?P<known>\d+)"),
    ("recording_damaged", r"(?P<file>.*?) (?:is cut off|is damaged|is of version|goes on behind|has a header) ?.*"),
    ("recording_damaged", r"(?P<file>.*?) holds (?:\d+ messages, and its end|'\$\w+', which no device) .*"),
    ("journal_damaged", r"(?:journal|checkpoint)(?: [\w.-]+)?: .*"),
    ("store_silent", r"InfluxDB at (?P<found>\S+) does not answer.*"),
    ("store_broken", r"the embedded store (?P<file>\S+) cannot be .*"),
    ("store_token", r"InfluxDB at (?P<found>\S+) refuses the token .*"),
    ("store_bucket", r"InfluxDB at (?P<found>\S+) has no bucket '(?P<bucket>.*)' .*"),
    ("store_odd", r"InfluxDB at (?P<found>\S+) .*"),
    ("too_many_readings", r"(?P<device>\S+) has more than (?P<most>[\d,]+) values of (?P<found>\S+) in .*"),
    ("file_unreadable", r"(?P<file>.*?):? cannot be (?:opened|read): (?P<why>.*)"),
    ("file_unwritable", r"(?P<file>.*?):? cannot be written: (?P<why>.*)"),
    ("machine_trouble", r"(?P<why>\[Errno \d+\] .*)"),
    ("scenario_device", r"scenario (?P<scenario>\S+), target \S+: the site has no device '(?P<found>.*)'"),
    ("scenario_nobody", r"scenario (?P<scenario>\S+), target (?P<found>\S+): no device of the site is meant by it"),
    ("nothing_to_test", r"no collector has worked in .* yet; there is nothing to test on"),
    ("ended_early", r"It ended early, with (?P<found>-?\d+); the cockpit's log says more\."),
)
# What a machine most often has too little of, for which there are texts in every language.
_WHY = {
    errno.ENOSPC: "disk_full",
    errno.EDQUOT: "disk_full",
    errno.EROFS: "read_only",
    errno.EACCES: "no_access",
    errno.EPERM: "no_access",
    errno.ENOENT: "no_such_file",
    errno.ENOMEM: "memory_full",
    errno.EAGAIN: "many_processes",
    errno.EMFILE: "many_files",
    errno.ENFILE: "many_files",
}
_NUMBERS = {os.strerror(number): number for number in errno.errorcode}
_NUMBER = re.compile(r"\[Errno (\d+)\]")


def parted(sentence: str) -> Document | None:
    """Return a sentence as code and values, with itself as ``detail``; without a code it is not known; None for none.

    Of a file only its name is told: where it lies is nobody's business.
    """
    if not sentence:
        return None
    code, told = _FORMS.of(sentence)
    values = {name: _VALUES.get(name, str)(value) for name, value in told.items()}
    return {"code": code, "values": values, "detail": sentence}


def why(error: OSError) -> str:
    """Return the word for what a machine could not do, or its own symbol where there is none."""
    return _word(error.errno)


def _word(number: int | None) -> str:
    return _WHY.get(number or 0) or errno.errorcode.get(number or 0, "EIO")


def _why_told(words: str) -> str:
    told = _NUMBER.search(words)
    return _word(int(told[1]) if told else _NUMBERS.get(words))


_VALUES = {"file": lambda path: Path(path).name, "why": _why_told}
