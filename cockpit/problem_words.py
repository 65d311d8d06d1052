"""A refusal in the reader's language, for pages that the server writes; elsewhere ``problem_words.mjs`` does the same.

The text is that of the refusal's code, else that of its status.
"""

from typing import Any

from cockpit.problems import Problem
from cockpit.texts import Texts
from cockpit.trouble_words import parted

_WORDS = {
    "roles": "cases.role_",
    "state": "cases.state_",
    "states": "cases.state_",
    "needs": "laying.amount_",
    "why": "problem.",
}


def problem_text(problem: Problem, say: Texts) -> str:
    """Return the sentence of a refusal."""
    key = f"problem.{problem.code}"
    if key in say.words:
        between = "、" if say.language == "zh" else ", "
        told = {name: between.join(_word(name, each, say) for each in _list(v)) for name, v in problem.values.items()}
        return say.words[key].format(**told)
    key = f"problem.status_{problem.status}"
    return say(key) if key in say.words else say("problem.status_other", status=problem.status)


def trouble_text(sentence: str, say: Texts) -> str:
    """Return what another part told in a sentence; one that is not known stays as it is where English is read."""
    known = parted(sentence) or {"code": "", "values": {}}
    if not known["code"] and say.language == "en":
        return sentence
    return problem_text(Problem(500, sentence, code=known["code"], values=known["values"]), say)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _word(name: str, key: object, say: Texts) -> str:
    return say.words.get(f"{_WORDS[name]}{key}", str(key)) if name in _WORDS else str(key)
