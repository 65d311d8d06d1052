"""The second person: agrees to an act that another one asked for, or declines it."""

from dataclasses import dataclass

from ingest.alarms.acts import Acts, Row
from ingest.alarms.audit import Person
from ingest.alarms.commands import joint, resetting, service, verdict
from ingest.alarms.commands.carrying import OFFICERS, Command, Done, carry_out
from ingest.alarms.database import AlarmDatabase
from ingest.errors import Refused

_AGREE = {"reset": ("leader", "officer"), "verdict": ("leader", "officer"), "out_of_service": ("leader",)}


@dataclass(frozen=True, slots=True)
class Agreement:
    """Yes or no to what somebody asked for."""

    request: str
    agree: bool
    idempotency_key: str
    comment: str = ""


def answer(database: AlarmDatabase, wish: Agreement, person: Person, now_ms: int) -> Done:
    """Carry out what another person asked for within the last ten minutes, or decline it.

    Raises:
        Refused: with ``why`` one of role, area, same_person, not_found, expired, state, closed, key_reused.
        AlarmError: the database could not be written; nothing happened.
    """

    def work(acts: Acts) -> Done:
        asked = joint.locked(acts, wish.request)
        acts.require_within(_device(acts, asked), asked["occurrence"])
        _check(acts, asked, wish)
        if not wish.agree:
            joint.settle(acts, asked, "declined", wish.comment)
            return Done("declined", person.user, now_ms, pending=joint.locked(acts, wish.request))
        row = _performed(acts, asked)
        joint.settle(acts, asked, "agreed")
        return Done("agreed", person.user, now_ms, row, joint.locked(acts, wish.request))

    command = Command("agree", wish, wish.idempotency_key, OFFICERS, comment=wish.comment)
    return carry_out(database, command, person, now_ms, work, Done)


def _device(acts: Acts, asked: Row) -> str:
    if asked["act"] == "out_of_service":
        return service.device_of(asked)
    return str(acts.locked(asked["occurrence"])["device"])


def _check(acts: Acts, asked: Row, wish: Agreement) -> None:
    if asked["outcome"] is not None:
        raise Refused(
            "state",
            f"It was settled already: {asked['outcome']} by {asked['settled_by']}.",
            code="request_settled",
            values={"by": asked["settled_by"]},
        )
    if asked["expires_at"] <= acts.now_ms:
        raise Refused(
            "expired",
            f"The request of {asked['asked_by']} is older than ten minutes; ask again.",
            code="request_expired",
            values={"by": asked["asked_by"]},
        )
    if not wish.agree:
        return
    if asked["asked_by"] == acts.actor.user:
        raise Refused(
            "same_person",
            "This takes two persons: whoever asked cannot agree.",
            asked["occurrence"],
            code="two_persons_agree",
        )
    roles = _AGREE[asked["act"]]
    if acts.actor.role not in roles:
        raise Refused(
            "role",
            f"Agreeing to this takes the role {' or '.join(roles)}.",
            asked["occurrence"],
            code="role_missing",
            values={"roles": sorted(roles)},
        )
    if asked["act"] == "reset" and "leader" not in (acts.actor.role, asked["asked_role"]):
        raise Refused(
            "role", "Gas at level 2 is reset by a leader and another person.", asked["occurrence"], code="gas_reset_two"
        )


def _performed(acts: Acts, asked: Row) -> Row | None:
    if asked["act"] == "out_of_service":
        service.perform(acts, asked)
        return None
    row = acts.still_open(asked["occurrence"])
    if asked["act"] == "verdict":
        return verdict.perform(acts, row, asked["reason"])
    resetting.check(row)
    return resetting.perform(acts, row, asked["reason"])
