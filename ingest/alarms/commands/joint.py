"""Acts that need two persons: one asks, another one agrees within ten minutes (CONTRACTS, Roles)."""

import secrets
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from ingest.alarms.acts import Acts
from ingest.alarms.tables import joint_act
from ingest.errors import Refused

Row = dict[str, Any]
JointAct = Literal["reset", "verdict", "out_of_service"]
WITHIN_MS = 10 * 60_000


def ask(
    acts: Acts, act: JointAct, subject: str, reason: str, occurrence: Row | None = None, body: object = None
) -> Row:
    """Ask for an act that a second person has to agree to.

    Raises:
        Refused: pending, somebody has asked for it already.
    """
    waiting = pending(acts, act, subject)
    about = None if occurrence is None else occurrence["id"]
    if waiting is not None and waiting["occurrence"] != about:
        # It was about an earlier alarm of the same point: that is closed, and nobody can agree to it any more.
        settle(acts, waiting, "expired")
        waiting = None
    if waiting is not None:
        raise Refused(
            "pending",
            f"{waiting['asked_by']} has asked for this already (request {waiting['id']}); another person has to agree.",
            waiting["occurrence"],
            code="asked_already",
            values={"by": waiting["asked_by"]},
        )
    row: Row = {
        "id": secrets.token_hex(10),
        "act": act,
        "subject": subject,
        "occurrence": about,
        "body": msgspec.json.encode(body).decode(),
        "reason": reason,
        "asked_by": acts.actor.user,
        "asked_role": acts.actor.role,
        "asked_at": acts.now_ms,
        "expires_at": acts.now_ms + WITHIN_MS,
        "outcome": None,
        "settled_by": None,
        "settled_at": None,
    }
    acts.connection.execute(joint_act.insert().values(**row))
    _note(acts, row, f"{act}_asked", reason, occurrence)
    return row


def pending(acts: Acts, act: JointAct, subject: str) -> Row | None:
    """Return what waits for a second person; what has run out is settled on the way."""
    query = sa.select(joint_act).where(
        joint_act.c.act == act, joint_act.c.subject == subject, joint_act.c.outcome.is_(None)
    )
    found = acts.connection.execute(query.with_for_update()).mappings().one_or_none()
    if found is None:
        return None
    row = dict(found)
    if row["expires_at"] > acts.now_ms:
        return row
    settle(acts, row, "expired")
    return None


def locked(acts: Acts, identifier: str) -> Row:
    """Return an act that was asked for.

    Raises:
        Refused: not_found.
    """
    query = sa.select(joint_act).where(joint_act.c.id == identifier).with_for_update()
    found = acts.connection.execute(query).mappings().one_or_none()
    if found is None:
        raise Refused(
            "not_found", f"There is no request {identifier}.", code="unknown_request", values={"request": identifier}
        )
    return dict(found)


def settle(acts: Acts, row: Row, outcome: Literal["agreed", "declined", "expired"], note: str = "") -> None:
    """Write what became of it; ``agreed`` is noted by the act itself."""
    settled = {"outcome": outcome, "settled_by": acts.actor.user, "settled_at": acts.now_ms}
    acts.connection.execute(joint_act.update().where(joint_act.c.id == row["id"]).values(**settled))
    if outcome == "agreed":
        return
    about = acts.locked(row["occurrence"]) if row["occurrence"] is not None else None
    _note(acts, row, f"{row['act']}_{outcome}", note or f"asked for by {row['asked_by']}", about)


def _note(acts: Acts, row: Row, action: str, reason: str, about: Row | None) -> None:
    if about is None:
        acts.note_other(action, row["subject"], reason)
    else:
        acts.note(about, action, reason)
