# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for the repository as a whole."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from checks import check
from checks.generated import generate_docs
from checks.tree import LOADER, files, load, text_of

COMMENTED = {".py", ".yml", ".yaml", ".sh", ".j2", ".toml", ".cfg", ".in"}
# Split, so that this file holds none of what it looks for.
FOREIGN = re.compile(
    "|".join(
        (
            r"py" r"pi\.org", r"python" r"hosted\.org", r"deb\." r"debian\.org", r"crates" r"\.io",
            r"(proxy|sum)\.go" r"lang\.org", r"registry\.npm" r"js\.org", r"repo1\.ma" r"ven\.org",
            r"/wo" r"rk/\w", r"/ro" r"ot/[.\w]", r"/ho" r"me/(?!platform\b)\w",
        )
    )
)  # fmt: skip
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "misc", "common", "common2", "tools2"}
ARTEFACT_KEYS = {"version", "licence", "kind", "summary", "provenance"}
# Directories of tests/ that no suite runs: why.
NOT_SUITES = {
    "suites": "what runs the others",
    "faults": "a part of the suite landscape, or minutes long and called by its own make target",
    "benchmarks": "measures, does not judge: make bench",
}


@check
def files_carry_their_licence(tree: Path) -> list[str]:
    """An SPDX line among the first lines of whatever can hold a comment."""
    problems = []
    for path in files(tree):
        text, where = text_of(path), path.relative_to(tree)
        if where.name == "changelog.yaml" or ".json" in path.suffixes:
            continue  # written whole by its tool; has no comments
        if where.parts[0] == "tests" and path.suffix == ".j2":
            continue  # what is rendered is what a test compares
        head = "\n".join(text.splitlines()[:6])
        commented = path.suffix in COMMENTED or text.startswith("#!")
        if commented and text.strip() and "SPDX-License-Identifier: GPL-3.0-or-later" not in head:
            problems.append(f"{where}: no SPDX line in the first lines")
    return problems


@check
def no_foreign_places(tree: Path) -> list[str]:
    """No registry's host, and no path of somebody's machine."""
    problems = []
    for path in files(tree):
        for number, line in enumerate(text_of(path).splitlines(), 1):
            if found := FOREIGN.search(line):
                problems.append(f"{path.relative_to(tree)}:{number}: {found[0]}")
    return problems


@check
def names_say_something(tree: Path) -> list[str]:
    """Nothing is called utils, helpers or misc."""
    return [
        f"{path.relative_to(tree)}: says nothing about what is in it"
        for path in files(tree)
        if EMPTY_NAMES
        & {path.stem.lstrip("_"), *(p.lstrip("_") for p in path.relative_to(tree).parts)}
    ]


@check
def artefacts_are_catalogued(tree: Path) -> list[str]:
    """Version, licence, where it is from, and a checksum for each architecture."""
    problems = []
    for name, artefact in (load(tree / "meta/catalogue.yml").get("artefacts") or {}).items():
        where = f"meta/catalogue.yml: {name}"
        problems += [f"{where} has no {key}" for key in sorted(ARTEFACT_KEYS - set(artefact))]
        if not artefact.get("architectures"):
            problems.append(f"{where} names no architecture")
        if artefact.get("kind") == "go":
            # Two toolchains build two binaries out of the same sources.
            if not re.fullmatch(r"h1:[0-9A-Za-z+/]{43}=", str(artefact.get("sum"))):
                problems.append(f"{where} has no whole sum of its sources")
            continue
        for architecture, facts in (artefact.get("architectures") or {}).items():
            sums = [str(value) for key, value in facts.items() if key.endswith("sha256")]
            if not sums or not all(re.fullmatch(r"[0-9a-f]{64}", value) for value in sums):
                problems.append(f"{where} has no whole checksum for {architecture}")
    return problems if (tree / "meta/catalogue.yml").exists() else ["meta/catalogue.yml: missing"]


@check
def changes_are_told(tree: Path) -> list[str]:
    """A changelog fragment, of the sections that the configuration knows."""
    config = load(tree / "changelogs/config.yaml")
    known = {name for name, _title in config.get("sections", [])}
    known |= {config.get("prelude_section_name"), config.get("trivial_section_name")}
    fragments = sorted(tree.glob("changelogs/fragments/*.yml"))
    problems = [] if fragments else ["changelogs/fragments: there is none"]
    for path in fragments:
        for section in set(load(path)) - known:
            problems.append(f"{path.relative_to(tree)}: there is no section {section}")
    return problems


@check
def galaxy_file_is_complete(tree: Path) -> list[str]:
    """Name, semantic version, licence, links, and the cache left out of the archive."""
    galaxy = load(tree / "galaxy.yml")
    wanted = ("readme", "authors", "description", "license_file", "tags", "repository", "issues")
    problems = [f"galaxy.yml: no {key}" for key in wanted if not galaxy.get(key)]
    if (galaxy.get("namespace"), galaxy.get("name")) != ("mcp", "platform"):
        problems.append("galaxy.yml: is not mcp.platform")
    if not re.fullmatch(r"\d+\.\d+\.\d+(-[\w.]+)?", str(galaxy.get("version"))):
        problems.append("galaxy.yml: the version is not a semantic one")
    if ".cache" not in (galaxy.get("build_ignore") or []):
        problems.append("galaxy.yml: .cache would be in the archive")
    for key in ("readme", "license_file"):
        if not (tree / str(galaxy.get(key, "-"))).is_file():
            problems.append(f"galaxy.yml: there is no {galaxy.get(key)}")
    return problems


@check
def every_scenario_is_run(tree: Path) -> list[str]:
    """Directories of molecule/ are scenarios; those of tests/ belong to a suite."""
    catalogue = text_of(tree / "tests/suites/catalogue.py")
    problems = []
    if '"molecule").glob("*/molecule.yml")' not in catalogue:
        problems.append("tests/suites/catalogue.py: does not look for every scenario")
    for path in sorted(tree.glob("molecule/*/")):
        if list(path.glob("*.yml")) and not (path / "molecule.yml").exists():
            problems.append(f"{path.relative_to(tree)}: is no scenario: no molecule.yml")
    for path in sorted(tree.glob("tests/*/")):
        listed = f"tests/{path.name}" in catalogue or path.name in NOT_SUITES
        if not listed and any(path.rglob("*.*")):
            problems.append(f"{path.relative_to(tree)}: no suite runs it")
    return problems


@check
def every_action_of_a_scenario_runs(tree: Path) -> list[str]:
    """Molecule skips ``side_effect NAME.yml``, and passes, where there is no side_effect.yml."""
    problems = []
    for path in sorted(tree.glob("molecule/*/molecule.yml")):
        for action in (load(path).get("scenario") or {}).get("test_sequence") or []:
            name, _space, given = action.partition(" ")
            if name in ("side_effect", "verify"):
                absent = not (path.parent / f"{name}.yml").exists()
                if absent or (given and "$" not in given and not (path.parent / given).exists()):
                    problems.append(f"{path.relative_to(tree)}: nothing runs at {action!r}")
    return problems


@check
def every_target_is_run(tree: Path) -> list[str]:
    """A directory of integration targets does something."""
    problems = []
    for path in sorted(tree.glob("tests/integration/targets/*/")):
        if not (path / "tasks/main.yml").exists() and not (path / "runme.sh").exists():
            problems.append(f"{path.relative_to(tree)}: neither tasks/main.yml nor runme.sh")
    return problems


@check
def sanity_ignores_nothing(tree: Path) -> list[str]:
    """The ignore files of ansible-test are empty or not there."""
    return [
        f"{path.relative_to(tree)}: ignores something"
        for path in tree.glob("tests/sanity/ignore*.txt")
        if path.read_text().strip()
    ]


@check
def linters_skip_nothing(tree: Path) -> list[str]:
    """No skip list, and no rule turned off in a file."""
    problems = []
    config = load(tree / ".ansible-lint")
    for key in ("skip_list", "warn_list", "mock_modules", "mock_roles"):
        if config.get(key):
            problems.append(f".ansible-lint: has a {key}")
    if (tree / ".ansible-lint-ignore").exists():
        problems.append(".ansible-lint-ignore: exists")
    for path in files(tree):
        if path.suffix in (".yml", ".yaml") and re.search(r"#\s*noqa", text_of(path)):
            problems.append(f"{path.relative_to(tree)}: turns a rule off")
    return problems


@check
def generated_files_are_fresh(tree: Path) -> list[str]:
    """What tools/generate_docs would write is what is there (the changelog is the suite lint's)."""
    return [
        f"{name}: run tools/generate_docs"
        for name, text in generate_docs.generated_texts(tree).items()
        if (tree / name).read_text() != text
    ]


@check
def links_lead_somewhere(tree: Path) -> list[str]:
    """Relative links of Markdown pages."""
    problems = []
    for path in files(tree):
        if path.suffix != ".md" or path.name == "CHANGELOG.md":
            continue
        prose = re.sub(r"```.*?```|`[^`]*`", "", text_of(path), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", prose):
            if not re.match(r"\w+:", target) and not (path.parent / target).exists():
                problems.append(f"{path.relative_to(tree)}: there is no {target}")
    return problems


@check
def yaml_is_readable(tree: Path) -> list[str]:
    """Every YAML file parses, with Ansible's own tags, too."""
    problems = []
    for path in files(tree):
        if path.suffix in (".yml", ".yaml"):
            try:
                list(yaml.parse(text_of(path), LOADER))
            except yaml.YAMLError as error:
                problems.append(f"{path.relative_to(tree)}: {error}")
    return problems
