# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a task is written."""

from __future__ import annotations

import re
from pathlib import Path

from checks import check
from checks.tree import files, module_of, options, roles, task_files, tasks_of, text_of

REFUSED = {"lineinfile", "replace", "blockinfile", "shell", "raw", "include_vars"}
COMMANDS = {"ansible.builtin.command", "ansible.builtin.shell", "ansible.builtin.raw"}
NOT_FACTS = """become become_method become_password become_user check_mode collection_name
    config_file connection dependent_role_names diff_mode facts forks host index_var
    inventory_sources limit loop loop_var managed parent_role_names parent_role_paths password
    play_batch play_hosts play_hosts_all play_name play_role_names playbook_python port
    private_key_file python_interpreter remote_tmp role_name role_names run_tags search_path
    skip_tags ssh_args ssh_common_args ssh_extra_args ssh_host_key_checking
    ssh_private_key_file user verbosity version""".split()  # noqa: SIM905
INJECTED_FACT = re.compile(
    rf"(?<![\w./'\"-])ansible_(?!(?:{'|'.join(NOT_FACTS)})\b)[a-z]\w*(?![\w/(-])"
)
GROUP = re.compile(r"""groups\[\s*['"](?!all['"])|\bgroups\.(?!all\b)\w|\bgroup_names\b""")
ALL_HOSTS = re.compile(r"""\bgroups(\[\s*['"]all['"]|\.all\b)""")


@check
def task_names_start_with_their_file(tree: Path) -> list[str]:
    """``configure | Place the settings``; the table of contents names its parts freely."""
    problems = []
    for role in roles(tree):
        for path, task in tasks_of(role):
            name = str(task.get("name", ""))
            if path.stem != "main" and not re.match(rf"{path.stem} \| [A-Z]", name):
                problems.append(
                    f"{path.relative_to(tree)}: '{name or task}' is not '{path.stem} | …'"
                )
    return problems


@check
def modules_are_fully_qualified(tree: Path) -> list[str]:
    """Namespace, collection, module."""
    return [
        f"{path.relative_to(tree)}: {module_of(task)} in '{task.get('name')}'"
        for role in roles(tree)
        for path, task in tasks_of(role)
        if "block" not in task and module_of(task).count(".") < 2
    ]


@check
def refused_modules_and_keywords(tree: Path) -> list[str]:
    """Files come from templates, errors are not ignored, loops are loops."""
    problems = []
    for role in roles(tree):
        for path, task in tasks_of(role):
            where = f"{path.relative_to(tree)}: '{task.get('name')}'"
            if module_of(task).rpartition(".")[2] in REFUSED:
                problems.append(f"{where} uses {module_of(task)}")
            for keyword in ("ignore_errors", "local_action", "with_items", "with_dict"):
                if keyword in task:
                    problems.append(f"{where} uses {keyword}")
            if task.get("failed_when") is False:
                problems.append(f"{where} can't fail")
    return problems


@check
def inputs_are_never_set(tree: Path) -> list[str]:
    """No set_fact and no register over an option."""
    problems = []
    for role in roles(tree):
        inputs = set(options(role))
        for path, task in tasks_of(role):
            made = {task.get("register"), *(task.get("ansible.builtin.set_fact") or {})}
            for name in sorted(inputs & made):
                problems.append(
                    f"{path.relative_to(tree)}: '{task.get('name')}' sets the input {name}"
                )
    return problems


@check
def commands_are_explained(tree: Path) -> list[str]:
    """A command says when it changed something; a comment above it says why it is one."""
    problems = []
    for role in roles(tree):
        for path, task in tasks_of(role):
            if module_of(task) not in COMMANDS:
                continue
            where = f"{path.relative_to(tree)}: '{task.get('name')}'"
            if "changed_when" not in task:
                problems.append(f"{where} has no changed_when")
            named = re.escape(str(task.get("name")))
            if not re.search(
                rf"^ *#(?! SPDX).*\n *- name: [\"']?{named}", path.read_text(), re.MULTILINE
            ):
                problems.append(f"{where} has no comment above it")
    return problems


@check
def tags_are_in_main_only(tree: Path) -> list[str]:
    """A tag elsewhere runs parts of parts."""
    return [
        f"{path.relative_to(tree)}: '{task.get('name')}' has tags"
        for role in roles(tree)
        for path, task in tasks_of(role)
        if "tags" in task and path != role / "tasks/main.yml"
    ]


@check
def roles_know_no_groups(tree: Path) -> list[str]:
    """A role takes lists of hosts; its rules may ask whether one is in the inventory at all."""
    problems = []
    for path in files(tree):
        parts = path.relative_to(tree).parts
        if parts[0] != "roles" or path.suffix not in (".yml", ".j2"):
            continue
        text = re.sub(r"#.*|^\s+description:.*", "", text_of(path), flags=re.MULTILINE)
        where = path.relative_to(tree)
        if GROUP.search(text):
            problems.append(f"{where}: reads an inventory group")
        if ALL_HOSTS.search(text) and parts[2:] != ("meta", "rules.yml"):
            problems.append(f"{where}: reads the group of all hosts outside of meta/rules.yml")
    return problems


@check
def no_injected_facts(tree: Path) -> list[str]:
    """``ansible_facts['x']``, never ``ansible_x``."""
    problems = []
    for path in files(tree):
        where = path.relative_to(tree)
        if where.parts[0] not in ("roles", "playbooks") or path.suffix not in (".yml", ".j2"):
            continue
        text = re.sub(r"(^|\s)#.*", "", text_of(path))
        for fact in sorted(set(INJECTED_FACT.findall(text))):
            problems.append(f"{where}: {fact}")
    return problems


@check
def included_files_exist(tree: Path) -> list[str]:
    """Every task file that is imported or included by a plain name."""
    problems = []
    for role in roles(tree):
        known = {str(path.relative_to(role / "tasks")) for path in task_files(role)}
        for path, task in tasks_of(role):
            for keyword in ("ansible.builtin.import_tasks", "ansible.builtin.include_tasks"):
                named = task.get(keyword)
                if isinstance(named, str) and "{{" not in named and named not in known:
                    problems.append(f"{path.relative_to(tree)}: there is no {named}")
    return problems
