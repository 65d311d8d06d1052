"""The generator of the demo city: a schematic district (示意图) that copies no real boundary, name or number."""
