"""The subkeys of one run: every use of randomness, and every step that needs a key, has its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from transforms.derivation import Secret, canonical_json, subkey
from transforms.draws import Draws
from transforms.given import KeyUse, SiteKey
from transforms.plan import Plan
from transforms.plan_sample import stable_series

ALGORITHM = "AES-256-CMAC"


@dataclass(frozen=True)
class RunKeys:
    """A run's secret and what tells its subkeys apart; `series` are the secrets of `stable_over` names.

    Two recipients, two runs (unless `stable_over` names a series) and two purposes never share a subkey.
    """

    secret: Secret
    organisation: str
    run: str
    recipient: str
    series: Mapping[str, Secret] = field(default_factory=dict)

    def draws(self, purpose: str, domain: str, step: int = 0, stable_over: str | None = None) -> Draws:
        """Draws for one purpose within one pseudonym domain (or table.column)."""
        return Draws(
            subkey(
                self._secret(stable_over),
                organisation=self.organisation,
                run_or_series=self.run if stable_over is None else stable_over,
                recipient=self.recipient,
                algorithm=ALGORITHM,
                domain=domain,
                step=step,
                purpose=purpose,
            )
        )

    def key(self, use: KeyUse, purpose: str, column: str, step: int) -> SiteKey:
        """The subkey of one algorithm at one step of a column (table.column), or in the domain that `use` names."""
        run_or_series = self.run if use.stable_over is None else use.stable_over
        domain = column if use.domain is None else use.domain
        secret = subkey(
            self._secret(use.stable_over),
            organisation=self.organisation,
            run_or_series=run_or_series,
            recipient=self.recipient,
            algorithm=use.algorithm,
            domain=domain,
            step=step if use.domain is None else None,
            purpose=purpose,
            length=use.length,
        )
        names = {
            "organisation": self.organisation,
            "run_or_series": run_or_series,
            "recipient": self.recipient,
            "domain": domain,
        }
        return SiteKey(secret, canonical_json(names))

    def _secret(self, stable_over: str | None) -> Secret:
        return self.secret if stable_over is None else self.series[stable_over]


def series_names(plan: Plan) -> frozenset[str]:
    """The series whose secrets a plan's sample, pseudonyms and steps need."""
    rules = [*plan.columns.values(), *(rule for table in plan.tables.values() for rule in table.columns.values())]
    uses = [step.key_use() for rule in rules for step in rule.apply or ()]
    named = {use.stable_over for use in uses if use is not None}
    named |= {stable_series(plan.sample), *(domain.stable_over for domain in plan.pseudonyms.values())}
    return frozenset(name for name in named if name is not None)
