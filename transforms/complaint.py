"""Complaints of a validator: found, allowed, what to do; pydantic carries them with the place in the plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError, ValidationError

Location = tuple[str | int, ...]
LONGEST_WORD = 100


def complaint(
    found: str, allowed: str, hint: str | None = None, loc: Location = (), refused: bool = False
) -> InitErrorDetails:
    """One complaint at `loc` (relative to the value that the validator was handed).

    `refused` marks what the rules forbid, as against what is malformed.
    """
    context = {"found": found, "allowed": allowed, "hint": hint or "", "refused": refused}
    error = PydanticCustomError("complaint", "{found}; allowed: {allowed}", context)
    return InitErrorDetails(type=error, loc=loc, input=None)


def complain(complaints: Sequence[InitErrorDetails], title: str = "plan") -> ValidationError:
    """What a validator raises to report several complaints at once, each with its own place."""
    return ValidationError.from_exception_data(title, list(complaints))


def prefixed(error: ValidationError, *before: str | int) -> list[InitErrorDetails]:
    """An inner validation's complaints with the place of the inner value put before theirs."""
    return [_again(one, (*before, *one["loc"])) for one in error.errors(include_url=False)]


def _again(error: ErrorDetails, loc: Location) -> InitErrorDetails:
    context = error.get("ctx", {})
    if error["type"] == "complaint":
        custom = PydanticCustomError("complaint", "{found}; allowed: {allowed}", context)
        return InitErrorDetails(type=custom, loc=loc, input=None)
    return InitErrorDetails(type=error["type"], loc=loc, input=error["input"], ctx=context)


def did_you_mean(word: object, known: Iterable[str]) -> str | None:
    """A question that names the nearest known word, or None where none is near.

    Long words are not compared: it takes time by their square.
    """
    text = str(word)
    near = get_close_matches(text, list(known), n=1, cutoff=0.6) if len(text) <= LONGEST_WORD else []
    return f"did you mean {near[0]!r}?" if near else None
