"""The users of a simulated city: five names, one password from the environment; a real city has none of them."""

import hmac

from cockpit.accounts import passwords
from cockpit.accounts.users import Account

DEMO_ROLES: dict[str, tuple[str, ...]] = {
    "viewer": ("viewer",),
    "officer": ("officer",),
    "officer2": ("officer", "handler"),
    "leader": ("leader", "dispatcher", "verifier", "director"),
    "engineer": ("engineer", "maintenance"),
}


def demo_accounts(password: str, secret: bytes) -> dict[str, Account]:
    """Return the demo's users; their mark is the same after a restart with the same password."""
    mark = hmac.digest(secret, b"demo password\0" + password.encode(), "sha256").hex()
    kept = passwords.hashed(password)
    return {name: Account(name, roles, kept, mark) for name, roles in DEMO_ROLES.items()}
