"""One file per kind of device; see the recipe in the README."""
