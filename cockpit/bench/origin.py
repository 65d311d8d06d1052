"""Whether what a run plays was heard in this city: only then do people's findings of that time say something of it."""

from pathlib import Path

from cockpit.bench.job import Span
from devices.errors import RecordingError
from devices.recording import Reader
from devices.site import Site

# What the simulators write behind the software's name.
_SIMULATED = ", simulated"


def was_here(span: Span, site: Site) -> bool:
    """Tell whether a span is of the site's own journal, or of a recording taken from it under its own names."""
    if not span.is_file:
        return True
    try:
        with Reader(Path(span.path)) as reader:
            header = reader.header
    except RecordingError:
        return False
    own = header.site == {"zh": site.label.zh, "en": site.label.en} and header.district == site.district
    return own and not header.pseudonymised and not header.software.endswith(_SIMULATED)
