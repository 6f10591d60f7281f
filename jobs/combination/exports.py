"""Applications for export (반출신청) at the combining agency: taken in with a receipt number, noticed in time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from pydantic import ValidationError

from jobs.clock import Clock, moment, utc_now
from jobs.combination.notices import notified, notify
from jobs.combination.packages import Package, received, sent
from jobs.combination.parcels import Address
from jobs.combination.rounds import Round
from jobs.errors import DataFailed, Waiting
from transforms.combination.export_form import ExportForm

ABOUT = "export"
# The tables of its package: it names people, so nothing of it stands in the manifest.
APPLICATION, ATTACHMENTS = "application", "attachments"
BUSINESS_DAYS = 5


@dataclass(frozen=True)
class Application:
    """An application that was taken in: its form, the digest that votes bind, and the notice that went out.

    `attached`: the SHA-256 of each attached file; `repeated`: the first (최초) or a further one (추가) of a series.
    """

    form: ExportForm
    attached: Mapping[str, str]
    repeated: str | None
    digest: str
    notice: Mapping[str, Any]

    @property
    def receipt(self) -> str:
        """The agency's number of it (반출접수번호)."""
        return str(self.notice["receipt"])


def application(round_: Round, user: str, clock: Clock = utc_now) -> Application:
    """The newest application of a user for this round, noticed; Waiting without one.

    Its notice (receipt number, how many judge, when) goes out on the first look and is due within 5 business days of
    the application (L1588-1591); one that is late is marked so.
    """
    environment, combination = round_.environment, round_.combination
    found = received(environment, combination, round=round_.name, kind="export", sender=user)
    if found is None:
        raise Waiting(f"round {round_.name} waits for the export application of {user} (`apply-export`)")
    try:
        (text,) = found.table(APPLICATION).column(APPLICATION).to_pylist()
        told = json.loads(text)
        form, repeated = ExportForm.model_validate(told["form"]), told["repeated"]
    except (ValidationError, ValueError, KeyError, TypeError):
        raise DataFailed(f"{found.manifest.address.name}: not the fields of an export application") from None
    files = found.table(ATTACHMENTS).to_pylist()
    attached = {one["name"]: hashlib.sha256(one["content"]).hexdigest() for one in files}
    digest = hashlib.sha256(found.manifest.encoded()).hexdigest()
    before = [one for one in notified(round_, user) if one.get("application") == digest]
    notice = before[0] if before else _notice(round_, user, found, digest, clock)
    return Application(form, attached, repeated, digest, notice)


def handed_over(round_: Round) -> list[str]:
    """Users to whom this revision of the combined tables went out, also where a killed `export` recorded nothing."""
    me, name, revision = round_.environment.exchange.name, round_.combination.combination, round_.revision("combine")
    users = [one.user for one in round_.combination.outputs]
    return [
        user
        for user in users
        if sent(round_.environment, Address(name, round_.name, "export", me, user, revision)) is not None
    ]


def _notice(round_: Round, user: str, package: Package, digest: str, clock: Clock) -> Mapping[str, Any]:
    applied, today = moment(package.manifest.created).date(), clock().date()
    due = business_days_after(applied, BUSINESS_DAYS)
    content = {
        "about": ABOUT,
        "receipt": f"E-{round_.combination.combination}-{round_.name}-{user}-{package.manifest.address.revision}",
        "application": digest,
        "reviewers": round_.combination.export.reviewers,
        "applied": applied.isoformat(),
        "due": due.isoformat(),
        "noticed": today.isoformat(),
        "late": today > due,
    }
    notify(round_, user, content)
    return content


def business_days_after(day: date, count: int) -> date:
    """The day so many business days (Monday to Friday) later. Public holidays count as business days: the due day is
    never later than the rule's."""
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < 5
    return day
