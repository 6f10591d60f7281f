"""All steps of combinations: one line for each, with its module below this package, which has `STEP`."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from jobs.combination.step import Step

STEPS: Mapping[str, str] = {
    # every role
    "check": "everyone.check",
    "identity": "everyone.identity",
    "status": "everyone.status",
    "play": "everyone.play",
    "close": "everyone.close",
    "mock-destroy": "everyone.mock_destroy",
    # applicants
    "apply": "everyone.apply",
    "prove": "applicant.prove",
    "keys": "applicant.keys",
    "attributes": "applicant.attributes",
    "void": "applicant.void",
    "forget": "applicant.forget",
    "mock-keys": "applicant.mock_keys",
    "mock-attributes": "applicant.mock_attributes",
    # key agency
    "salt": "key_agency.salt",
    "rate": "key_agency.rate",
    "extract": "key_agency.extract",
    "link": "key_agency.link",
    "end": "key_agency.end",
    "mock-salt": "key_agency.mock_salt",
    # combining agency
    "receive": "combining_agency.receive",
    "combine": "combining_agency.combine",
    "mock-choose": "combining_agency.mock_choose",
    "mock-combine": "combining_agency.mock_combine",
    "process": "combining_agency.process",
    "vote": "combining_agency.vote",
    "export": "combining_agency.export",
    # users
    "apply-export": "user.apply_export",
    "take": "user.take",
}


def step_named(name: str) -> Step:
    """The step of a name; KeyError for none."""
    step: Step = importlib.import_module(f"jobs.combination.{STEPS[name]}").STEP
    return step
