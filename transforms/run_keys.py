"""The keyed draws of one run: every use of randomness has its own subkey."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from transforms.derivation import Secret, subkey
from transforms.draws import Draws

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
        secret = self.secret if stable_over is None else self.series[stable_over]
        return Draws(
            subkey(
                secret,
                organisation=self.organisation,
                run_or_series=self.run if stable_over is None else stable_over,
                recipient=self.recipient,
                algorithm=ALGORITHM,
                domain=domain,
                step=step,
                purpose=purpose,
            )
        )
