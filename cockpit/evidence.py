"""Making the evidence pack of an alarm: what was gathered, as files for programs and pages for people."""

from cockpit.evidence_page import EvidencePage, page_name
from cockpit.texts import LANGUAGES, texts
from devices.site import Site
from ingest.alarms.database import AlarmDatabase
from ingest.evidence.files import data_files, instant
from ingest.evidence.gathering import gather
from ingest.evidence.pack import digests, packed
from ingest.places import Places, site_secret
from ingest.store import Store, open_store


def make_pack(
    site: Site, places: Places, database: AlarmDatabase, alarm: str, around_ms: tuple[int, int], now_ms: int
) -> bytes:
    """Return the zip of an alarm's evidence from so long before it to so long after it; blocks.

    Raises:
        Refused: not_found.
        AlarmError: the alarm database cannot be read.
    """
    store: Store = open_store(site, places)
    try:
        evidence = gather(site, places, database, store, alarm, around_ms, now_ms)
    finally:
        store.close()
    files = data_files(evidence, site.timezone)
    told = digests(files)
    pages = {
        page_name(language): EvidencePage(site, texts(language)).html(evidence, told).encode() for language in LANGUAGES
    }
    names = {"zh": site.label.zh, "en": site.label.en}
    return packed(evidence, {**files, **pages}, names, instant(now_ms, site.timezone), site_secret(places))


def pack_name(alarm: str) -> str:
    """Return the name of the file."""
    return f"citydeck-evidence-{alarm}.zip"
