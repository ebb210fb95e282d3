# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes a directory a role of this collection."""

from __future__ import annotations

import re
from pathlib import Path

from checks import check
from checks.tree import load, module_of, nested, options, roles, specs, task_files, tasks_of

CONTENTS = {"validate", "set_vars", "install", "configure", "service", "verify"}
HEADINGS = ("inputs", "outputs", "what breaks", "rollback", "security")


@check
def spec_equals_defaults(tree: Path) -> list[str]:
    """The same keys with the same values; what has no default stands there commented out."""
    problems = []
    for role in roles(tree):
        path = role / "defaults/main.yml"
        defaults, text = load(path), path.read_text() if path.exists() else ""
        specified = options(role)
        where = path.relative_to(tree)
        for name, option in specified.items():
            if "default" not in option:
                if name in defaults:
                    problems.append(f"{where}: {name} has a default, its spec has none")
                elif not re.search(rf"^# ?{name}:", text, re.MULTILINE):
                    problems.append(f"{where}: {name} does not stand there commented out")
            elif name not in defaults:
                problems.append(f"{where}: {name} is missing")
            elif defaults[name] != option["default"]:
                problems.append(f"{where}: {name} is not the spec's {option['default']!r}")
        problems += [f"{where}: {name} is in no spec" for name in defaults if name not in specified]
    return problems


@check
def options_are_typed_and_described(tree: Path) -> list[str]:
    """Every option, nested ones too."""
    problems = []
    for role in roles(tree):
        for name, option in nested(options(role)):
            for key in ("type", "description"):
                if not option.get(key):
                    problems.append(f"{role.name}: {name} has no {key}")
            if option.get("type") == "list" and "elements" not in option:
                problems.append(f"{role.name}: {name} is a list without elements")
    return problems


@check
def entry_points_are_specified(tree: Path) -> list[str]:
    """There are main, validate and verify; every entry point is described and has its file."""
    problems = []
    for role in roles(tree):
        found = specs(role)
        for missing in sorted({"main", "validate", "verify"} - set(found)):
            problems.append(f"{role.name}: there is no entry point {missing} in the specs")
        for entry, spec in found.items():
            if not (role / f"tasks/{entry}.yml").exists():
                problems.append(f"{role.name}: the entry point {entry} has no task file")
            for key in ("short_description", "description"):
                if not spec.get(key):
                    problems.append(f"{role.name}: the entry point {entry} has no {key}")
    return problems


@check
def readme_is_complete(tree: Path) -> list[str]:
    """A runnable example, the markers of the inputs' table, and a heading for each question."""
    problems = []
    for role in roles(tree):
        path = role / "README.md"
        text = path.read_text() if path.exists() else ""
        where = path.relative_to(tree)
        if "```yaml" not in text:
            problems.append(f"{where}: no example")
        if "<!-- inputs -->" not in text or "<!-- /inputs -->" not in text:
            problems.append(f"{where}: the markers of the inputs' table are missing")
        headings = "\n".join(re.findall(r"^#+ (.*)$", text, re.MULTILINE)).lower()
        problems += [f"{where}: no heading '{word}'" for word in HEADINGS if word not in headings]
    return problems


@check
def rules_are_well_formed(tree: Path) -> list[str]:
    """Each rule says what is wrong, where, and how to mend it; ports are the role's own options."""
    problems = []
    for role in roles(tree):
        path = role / "meta/rules.yml"
        if not path.exists():
            problems.append(f"{role.name}: there is no meta/rules.yml")
            continue
        document, where = load(path), path.relative_to(tree)
        problems += [f"{where}: unknown key {key}" for key in set(document) - {"listens", "rules"}]
        for name in document.get("listens") or []:
            if name not in options(role):
                problems.append(f"{where}: listens names {name}, which is no option")
        for number, rule in enumerate(document.get("rules") or [], 1):
            for key in ("that", "what", "where", "hint"):
                if not rule.get(key):
                    problems.append(f"{where}: rule {number} has no {key}")
            for key in set(rule) - {"that", "what", "where", "hint", "needs"}:
                problems.append(f"{where}: rule {number} has an unknown key {key}")
    return problems


@check
def main_is_a_table_of_contents(tree: Path) -> list[str]:
    """At most 40 lines; nothing but tagged imports of the known parts."""
    problems = []
    for role in roles(tree):
        path = role / "tasks/main.yml"
        where = path.relative_to(tree)
        if not path.exists():
            problems.append(f"{where}: missing")
            continue
        if len(path.read_text().splitlines()) > 40:
            problems.append(f"{where}: more than 40 lines")
        for task in load(path):
            part = str(task.get("ansible.builtin.import_tasks", "")).removesuffix(".yml")
            if part not in CONTENTS:
                problems.append(f"{where}: '{task.get('name')}' imports none of the known parts")
            if part not in task.get("tags", []):
                problems.append(f"{where}: '{task.get('name')}' has not the tag {part}")
    return problems


@check
def task_files_are_short(tree: Path) -> list[str]:
    """At most 120 lines each."""
    return [
        f"{path.relative_to(tree)}: more than 120 lines"
        for role in roles(tree)
        for path in task_files(role)
        if len(path.read_text().splitlines()) > 120
    ]


@check
def variables_are_prefixed(tree: Path) -> list[str]:
    """Inputs start with the role's name, everything internal with two underscores before it."""
    problems = []
    for role in roles(tree):
        public, internal = f"{role.name}_", f"__{role.name}_"
        record = f"{public}service_record"
        names = {name: "option" for name in options(role) if not name.startswith(public)}
        for path in role.glob("vars/**/*.yml"):
            own = (name for name in load(path) if name != record and not name.startswith(internal))
            names.update(dict.fromkeys(own, str(path.relative_to(role))))
        for path, task in tasks_of(role):
            set_here = {task.get("register"), *(task.get("vars") or {})} - {None}
            if module_of(task) == "ansible.builtin.set_fact":
                set_here |= set(task["ansible.builtin.set_fact"]) - {"cacheable"}
            own_names = (name for name in set_here if not str(name).startswith(internal))
            if not module_of(task).endswith("_role"):  # what a role is given has that role's prefix
                names.update(dict.fromkeys(own_names, str(path.relative_to(role))))
        problems += [
            f"{role.name}: {name} ({place}) has no prefix" for name, place in names.items()
        ]
    return problems


@check
def services_have_no_handlers(tree: Path) -> list[str]:
    """That a service has loaded its files is a state; a handler is lost with a killed run."""
    problems = [
        f"{role.name}: has handlers" for role in roles(tree) if (role / "handlers").exists()
    ]
    for role in roles(tree):
        for path, task in tasks_of(role):
            if "notify" in task:
                problems.append(f"{path.relative_to(tree)}: '{task.get('name')}' notifies")
    return problems


@check
def role_meta_is_complete(tree: Path) -> list[str]:
    """Its own name, the licence, and no dependency: roles stand alone."""
    problems = []
    for role in roles(tree):
        meta = load(role / "meta/main.yml")
        info = meta.get("galaxy_info") or {}
        if info.get("role_name", role.name) != role.name:
            problems.append(f"{role.name}: meta/main.yml names another role")
        if info.get("license") != "GPL-3.0-or-later" or not info.get("description"):
            problems.append(f"{role.name}: meta/main.yml lacks licence or description")
        if meta.get("dependencies") != []:
            problems.append(f"{role.name}: meta/main.yml has not 'dependencies: []'")
    return problems


@check
def every_role_has_a_scenario(tree: Path) -> list[str]:
    """A molecule scenario of the role's name, or of that name and a suffix."""
    scenarios = [path.parent.name for path in tree.glob("molecule/*/molecule.yml")]
    return [
        f"{role.name}: there is no molecule/{role.name}"
        for role in roles(tree)
        if not any(re.fullmatch(rf"{role.name}(_.+)?", name) for name in scenarios)
    ]
