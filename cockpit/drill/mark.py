"""The mark that the names of an exercise carry, wherever a program or a person reads them."""

from cockpit.texts import LANGUAGES, texts
from devices.site import Site


def marked(site: Site, names: dict[str, str]) -> dict[str, str]:
    """Return a name in every language: as it is in the live city, and with the mark in an exercise."""
    if not site.drill:
        return names
    return {language: texts(language)("drill.marked", name=names[language]) for language in LANGUAGES}
