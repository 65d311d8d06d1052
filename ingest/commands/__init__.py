"""Commands to devices: lamps switched on, off and dimmed, from the wish of a person to the answer of the pole."""
