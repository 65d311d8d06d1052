"""The HTML documents of the pages: each loads what its own page needs and not what only another one does."""

import re
from typing import Any, Final

from dash import Dash

# A third of all script, and one page has it.
_GRID: Final = re.compile(r'<script src="[^"]*/dash_ag_grid/[^"]*"></script>\n?')
_WITH_GRID: Final = "/duty"


class Documents(Dash):  # type: ignore[misc]
    """Dash, which by itself gives every page the scripts of all components that any page uses."""

    def interpolate_index(self, **parts: Any) -> str:
        """Return the document of the page that is asked for."""
        path = str(self.backend.request_adapter().path)
        if not path.rstrip("/").endswith(_WITH_GRID):
            parts["scripts"] = _GRID.sub("", parts["scripts"])
        return str(super().interpolate_index(**parts))
