"""Which worker takes which tests, where several share a run.

A file is taken whole. All of `tests/browser` is one worker's: a map that is drawn without a graphics card takes the
whole machine, and two of them would take each other the time that pages have.
"""

from xdist.scheduler import LoadFileScheduling

_BROWSER = "tests/browser/"


class OneBrowser(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives out files in the order in which they are collected, those with a browser as one."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return _BROWSER if file.startswith(_BROWSER) else file
