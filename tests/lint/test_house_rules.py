"""Rules for every file of the repository. Each is shown on a planted breach, then on the real files."""

from __future__ import annotations

import ast
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs.cli import JOBS

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {".ci", "airflow_dags", "conf", "infra", "jobs", "tests", "transforms"}
TOP_LEVEL = FOLDERS | {".gitignore", "README.md", "pyproject.toml"}
MOST_LINES = 400
# Made from the docstrings: nobody reads it from end to end, and its index leads to each technique.
GENERATED = {"transforms/techniques/README.md"}
# Only new keys, nonces of signatures and names of files may come from the machine's own randomness.
MAY_USE_SYSTEM_RANDOMNESS = {
    f"jobs/{name}.py" for name in ("additional", "decisions", "key_providers/model", "keys", "storage")
}
# The plan's own files are the one thing that transforms reads; plan_schema is a command that prints.
MAY_READ_FILES = {
    "transforms/plan_loader.py",
    "transforms/plan_places.py",
    "transforms/plan_schema.py",
    # each reads the one file that it is named for
    "transforms/combination/application.py",
    "transforms/combination/export_form.py",
    "transforms/combination/loader.py",
}


def tracked(*patterns: str) -> list[Path]:
    """Files that git holds and that still exist, as paths from the root."""
    names = subprocess.run(
        ["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    return [Path(name) for name in names if name and (ROOT / name).is_file()]


def text_of(path: Path) -> str:
    """The text of a tracked file; a binary one has none."""
    try:
        return (ROOT / path).read_text("utf-8")
    except UnicodeDecodeError:
        return ""


def uses(source: str) -> Iterator[tuple[int, str]]:
    """Every name that Python code imports or uses, with its line: dotted, imported names in full.

    What was not imported begins with `?.`: a local variable named `random` is not the module.
    """
    tree = ast.parse(source)
    aliases: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                top = name.name.split(".")[0]
                aliases[name.asname or top] = name.name if name.asname else top
                yield node.lineno, name.name
        elif isinstance(node, ast.ImportFrom):
            for name in node.names:
                aliases[name.asname or name.name] = f"{node.module}.{name.name}"
                yield node.lineno, f"{node.module}.{name.name}"
    for node in ast.walk(tree):
        if isinstance(node, (ast.Attribute, ast.Name)):
            first, *rest = ast.unparse(node).split(".")
            yield node.lineno, ".".join([aliases.get(first, f"?.{first}"), *rest])


RANDOM = re.compile(
    r"(^|\.)(rand|randn|monotonically_increasing_id)$|^pyspark\.sql\.functions\.(uuid|shuffle)$"
    r"|^(random|uuid)(\.|$)|^numpy\.random\.(?!Generator$|PCG64$|Philox$|SFC64$|default_rng$)|^pyarrow\.compute\.random$"
)
SYSTEM_RANDOM = re.compile(r"^secrets(\.|$)|^os\.(urandom|getrandom)$")
RANDOM_CALL = re.compile(r"\.(sample|sampleBy|randomSplit)$")
UNSEEDED = {f"numpy.random.{name}" for name in ("default_rng", "PCG64", "Philox", "SFC64")}


def random_uses(path: str, source: str) -> list[str]:
    """Randomness that is not keyed. Seeded numpy is for made data, in jobs alone."""
    found = []
    for line, name in uses(source):
        seeded_numpy = name.startswith("numpy.random") and path.startswith("jobs/")
        if RANDOM.search(name) or (name.startswith("numpy.random.") and not seeded_numpy):
            found.append(f"{path}:{line}: {name}")
        if SYSTEM_RANDOM.search(name) and path not in MAY_USE_SYSTEM_RANDOMNESS:
            found.append(f"{path}:{line}: {name}")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func).replace("np.", "numpy.")
            if RANDOM_CALL.search(called) or (called in UNSEEDED and not node.args and not node.keywords):
                found.append(f"{path}:{node.lineno}: {called}()")
    return sorted(set(found))


OUTSIDE = re.compile(
    r"^\?\.open$|^os\.(environ|getenv|open|remove|replace)|\.(read_text|read_bytes|write_text|write_bytes)$"
    r"|^time\.(time|time_ns)$|^datetime(\.datetime|\.date)?\.(now|utcnow|today)$|^(socket|requests|urllib)(\.|$)"
)


def outside_uses(path: str, source: str) -> list[str]:
    """Input, output, clock and environment variables, of which the transforms know nothing."""
    if path in MAY_READ_FILES:
        return []
    return sorted({f"{path}:{line}: {name}" for line, name in uses(source) if OUTSIDE.search(name)})


def lower_floor_imports(path: str, source: str) -> list[str]:
    """DAGs run jobs by spark-submit: where they live there is neither Spark nor our code."""
    ours = re.compile(r"(jobs|transforms|pyspark)(\.|$)")
    return [f"{path}:{line}: {name}" for line, name in uses(source) if ours.match(name)]


REGISTRY = re.compile(
    r"\b[\w.-]*(pypi|registry|artifactory|nexus)[\w.-]*\.(org|com|io|net|local|internal)\b", re.IGNORECASE
)
INDEX_OPTION = re.compile(r"--(?:(?:extra-)?index-url|find-links|trusted-host)\b")
MACHINE_PATH = re.compile(r"(?<![\w.$}\-])/(?:work|root|tmp|home)/\w")


def place_names(path: str, text: str) -> list[str]:
    """Package registries (each user's own configuration names them) and paths of one machine."""
    rules = (REGISTRY, INDEX_OPTION, MACHINE_PATH)
    return [
        f"{path}:{number}: {match.group()}"
        for number, line in enumerate(text.splitlines(), 1)
        for match in filter(None, (rule.search(line) for rule in rules))
    ]


def missing_commands(text: str) -> list[str]:
    """Commands in a page's code blocks that don't exist: scripts, jobs, job files, test files, plans."""
    missing = []
    for block in re.findall(r"^ *```[^\n]*\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE):
        for script in re.findall(r"(?<![\w/.])((?:infra|\.ci)/[\w./-]+)", block):
            if not (ROOT / script).exists():
                missing.append(script)
        for job in re.findall(r"(?:^|[|;(]\s*|\$\s+|bin/)gamyeong ([a-z][\w-]*)", block, re.MULTILINE):
            if job not in JOBS:
                missing.append(f"gamyeong {job}")
        for file in re.findall(r"(?<![\w/.])((?:jobs|conf|tests)/[\w./-]+\.(?:py|yaml|csv))", block):
            if not (ROOT / file).exists():
                missing.append(file)
    return missing


def broken_links(page: Path, text: str) -> list[str]:
    """Relative links of a page that lead nowhere."""
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    return [target for target in targets if "://" not in target and not (page.parent / target).exists()]


@pytest.mark.parametrize(
    ("path", "breach"),
    [
        ("transforms/pipeline/a.py", "from pyspark.sql import functions as F\nx = F.rand()"),
        ("transforms/pipeline/a.py", "from pyspark.sql.functions import monotonically_increasing_id"),
        ("transforms/pipeline/a.py", "y = frame.sample(0.5)"),
        ("transforms/pipeline/a.py", "import numpy as np\nx = np.random.default_rng(7)"),
        ("jobs/a.py", "import numpy as np\nx = np.random.default_rng()"),
        ("jobs/a.py", "import numpy as np\nx = np.random.normal(3)"),
        ("jobs/a.py", "import random"),
        ("jobs/a.py", "from uuid import uuid4"),
        ("jobs/a.py", "import os\nx = os.urandom(8)"),
        ("transforms/a.py", "import secrets"),
    ],
)
def test_unkeyed_randomness_is_seen(path: str, breach: str) -> None:
    assert random_uses(path, breach)


@pytest.mark.parametrize(
    ("path", "fine"),
    [
        ("jobs/keys.py", "import secrets\nx = secrets.token_bytes(32)"),
        ("jobs/retail.py", "import numpy as np\nx = np.random.Generator(np.random.PCG64([seed, part]))"),
        ("transforms/a.py", "x = plan.sample\ny = draws.below(ids, 7)"),
    ],
)
def test_keyed_and_seeded_randomness_passes(path: str, fine: str) -> None:
    assert random_uses(path, fine) == []


@pytest.mark.parametrize(
    "breach",
    [
        "x = open('a')",
        "import os\nx = os.environ['A']",
        "from datetime import date\nx = date.today()",
        "from pathlib import Path\nx = Path('a').read_text()",
        "import time\nx = time.time()",
    ],
)
def test_input_output_and_clock_in_transforms_are_seen(breach: str) -> None:
    assert outside_uses("transforms/a.py", breach)


@pytest.mark.parametrize(
    "breach",
    [
        "https://py" + "pi.example.org/simple",
        "our.regi" + "stry.internal",
        "pip install --index" + "-url X",
        'path = "/ro' + 'ot/x"',
        "see /wo" + "rk/main",
    ],
)
def test_registries_and_machine_paths_are_seen(breach: str) -> None:
    assert place_names("README.md", f"first line\n{breach}\n")[0].startswith("README.md:2: ")


def test_missing_commands_and_broken_links_are_seen() -> None:
    page = "```\ninfra/walk\ngamyeong dance\nspark-submit jobs/dance.py\n```\n[there](no/such.md)"
    assert missing_commands(page) == ["infra/walk", "gamyeong dance", "jobs/dance.py"]
    assert broken_links(ROOT / "README.md", page) == ["no/such.md"]
    assert missing_commands("```\ninfra/run --fresh\ngamyeong check PLAN\n```") == []


def test_a_dag_that_imports_a_job_is_seen() -> None:
    assert lower_floor_imports("airflow_dags/a.py", "from jobs.cli import main")


@pytest.mark.parametrize(
    ("rule", "folders"),
    [
        (random_uses, ("jobs", "transforms")),
        (outside_uses, ("transforms",)),
        (lower_floor_imports, ("airflow_dags",)),
    ],
)
def test_code_keeps_the_rule(rule: Callable[[str, str], list[str]], folders: tuple[str, ...]) -> None:
    files = [path for path in tracked("*.py") if path.parts[0] in folders]
    assert [breach for path in files for breach in rule(str(path), text_of(path))] == []


def test_no_file_names_a_registry_or_a_path_of_one_machine() -> None:
    files = tracked()
    assert Path("pyproject.toml") in files
    assert [breach for path in files for breach in place_names(str(path), text_of(path))] == []


def test_files_stay_small() -> None:
    written = (".py", ".md", ".yaml", ".toml", ".html", ".j2", ".css", "")
    long = {
        str(path): lines
        for path in tracked()
        if path.suffix in written and str(path) not in GENERATED
        and (lines := len(text_of(path).splitlines())) > MOST_LINES
    }
    assert long == {}


def test_only_the_agreed_names_stand_at_the_top() -> None:
    assert {path.parts[0] for path in tracked()} - TOP_LEVEL == set()


def test_pages_name_commands_and_files_that_exist() -> None:
    pages = tracked("*.md")
    assert Path("README.md") in pages
    wrong = {str(p): missing_commands(text_of(p)) + broken_links(ROOT / p, text_of(p)) for p in pages}
    assert {page: names for page, names in wrong.items() if names} == {}


def test_the_readme_shows_the_two_commands() -> None:
    for command in ("infra/run", "infra/test"):
        assert command in text_of(Path("README.md"))
        assert os.access(ROOT / command, os.X_OK), f"{command} can't be run"


def test_every_job_of_the_command_line_is_a_file_that_spark_submit_can_run() -> None:
    for module, _ in JOBS.values():
        path = ROOT / "jobs" / f"{module}.py"
        source = path.read_text("utf-8") if path.exists() else ""
        assert re.search(r"^def main\(", source, re.MULTILINE), f"{path.name} has no main"
        assert "sys.path[0] = " in source, f"{path.name} lacks the prologue for spark-submit"
        assert "leave(main(" in source, f"{path.name} runs nothing under spark-submit"
