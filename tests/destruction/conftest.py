"""Reviewed runs as tests/jobs/publishing makes them, and the commands as people type them."""

from tests.incidents.conftest import gamyeong  # noqa: F401 - fixture
from tests.jobs.publishing.conftest import make_run, reviewers  # noqa: F401 - fixtures
