"""How reports become bytes: the native envelope, and the foreign formats some devices speak."""
