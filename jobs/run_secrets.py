"""The keys of one run, out of the wrapped secrets in the keys zone."""

from __future__ import annotations

from jobs.combination.secret_store import serial_secret
from jobs.environment import Environment
from jobs.key_providers import provider_of
from jobs.keys import RunSecrets, SeriesSecrets
from transforms.combination.serials import round_series
from transforms.derivation import Secret
from transforms.plan import Plan
from transforms.run_keys import RunKeys, series_names


def run_keys(
    environment: Environment, plan: Plan, run: str, round_: str | None = None, *, create: bool = True
) -> RunKeys:
    """The run's keyed draws; its secret is made on the first call (`create`), and is gone after destruction.

    Of a party's plan, the secret of its round is among them.
    """
    provider = provider_of(environment)
    zone = environment.zone("keys")
    secrets, series = RunSecrets(zone, provider), SeriesSecrets(zone, provider)

    def get(store: RunSecrets | SeriesSecrets, name: str) -> Secret:
        return store.obtain(name) if create else store.load(name)

    known = {name: get(series, name) for name in sorted(series_names(plan))}
    if plan.combination is not None and round_ is not None:
        name = plan.combination.name
        known[round_series(name)] = serial_secret(environment, name, round_, make=create)
    return RunKeys(get(secrets, run), environment.organisation, run, plan.use.recipient, known)
