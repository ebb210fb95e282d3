# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each check passes on a good tree, and fails on one that was spoilt for it."""

from __future__ import annotations

from pathlib import Path

import miniature
import pytest
from checks import CHECKS

# check, file, text in it (empty: the file is new, or all of it), its replacement, part of the problem
SPOILT = [
    ("spec_equals_defaults", "roles/store/defaults/main.yml", "7000", "7001", "is not the spec's"),
    ("spec_equals_defaults", "roles/store/defaults/main.yml", "# store_hosts:\n", "", "commented out"),
    ("spec_equals_defaults", "roles/store/defaults/main.yml", "7000", "7000\nstore_x: 1", "no spec"),
    ("spec_equals_defaults", "roles/store/defaults/main.yml", "store_port: 7000\n", "", "is missing"),
    ("options_are_typed_and_described", "roles/store/meta/argument_specs.yml", "type: int, ", "", "type"),
    ("options_are_typed_and_described", "roles/store/meta/argument_specs.yml", "elements: str, ", "", "el"),
    ("entry_points_are_specified", "roles/store/meta/argument_specs.yml", "  verify: *main\n", "", "verify"),
    ("entry_points_are_specified", "roles/store/meta/argument_specs.yml", "  verify", "  x", "no task file"),
    ("readme_is_complete", "roles/store/README.md", "<!-- /inputs -->", "", "markers"),
    ("readme_is_complete", "roles/store/README.md", "## Rollback", "", "rollback"),
    ("rules_are_well_formed", "roles/store/meta/rules.yml", "    hint: Correct the name.\n", "", "no hint"),
    ("rules_are_well_formed", "roles/store/meta/rules.yml", "[store_port]", "[stor_port]", "no option"),
    ("main_is_a_table_of_contents", "roles/store/tasks/main.yml", "import_t", "include_t", "imports none"),
    ("main_is_a_table_of_contents", "roles/store/tasks/main.yml", "[verify]", "[proof]", "tag"),
    ("main_is_a_table_of_contents", "roles/store/tasks/main.yml", "\n\n", "\n" * 40, "40 lines"),
    ("task_files_are_short", "roles/store/tasks/verify.yml", "  changed", "\n" * 120 + "  changed", "120"),
    ("variables_are_prefixed", "roles/store/vars/main.yml", "__store_unit", "store_unit", "no prefix"),
    ("variables_are_prefixed", "roles/store/tasks/configure.yml", "__store_owner", "owner", "no prefix"),
    ("services_have_no_handlers", "roles/store/handlers/main.yml", "", "[]\n", "handlers"),
    ("services_have_no_handlers", "roles/store/tasks/verify.yml", "changed_when", "notify: x\n  x", "notif"),
    ("role_meta_is_complete", "roles/store/meta/main.yml", "dependencies: []", "", "dependencies"),
    ("every_role_has_a_scenario", "molecule/store/molecule.yml", "", None, "no molecule/store"),
    ("task_names_start_with_their_file", "roles/store/tasks/verify.yml", "verify | ", "", "is not"),
    ("modules_are_fully_qualified", "roles/store/tasks/verify.yml", "ansible.builtin.", "", "command"),
    ("refused_modules_and_keywords", "roles/store/tasks/verify.yml", "builtin.command", "builtin.shell", "u"),
    ("refused_modules_and_keywords", "roles/store/tasks/verify.yml", "changed_when: f", "ignore_errors: t", "u"),
    ("refused_modules_and_keywords", "roles/store/tasks/verify.yml", "changed_when", "failed_when", "fail"),
    ("inputs_are_never_set", "roles/store/tasks/configure.yml", "__store_owner", "store_port", "the input"),
    ("commands_are_explained", "roles/store/tasks/verify.yml", "# No module reads it.\n", "", "no comment"),
    ("commands_are_explained", "roles/store/tasks/verify.yml", "  changed_when: false\n", "", "changed_when"),
    ("tags_are_in_main_only", "roles/store/tasks/verify.yml", "changed_when: false", "tags: [x]", "has tags"),
    ("roles_know_no_groups", "roles/store/vars/main.yml", "store.service", "\"{{ groups['db'] }}\"", "group"),
    ("roles_know_no_groups", "roles/store/vars/main.yml", "store.service", "\"{{ groups['all'] }}\"", "all"),
    ("no_injected_facts", "roles/store/vars/main.yml", "store.service", "'{{ ansible_fqdn }}'", "fqdn"),
    ("included_files_exist", "roles/store/tasks/verify.yml", "", None, "there is no verify.yml"),
    ("secret_options_are_not_logged", "roles/store/meta/argument_specs.yml", "no_log: true, ", "", "no_log"),
    ("tasks_with_secrets_are_not_logged", "roles/store/tasks/configure.yml", "  no_log: true\n", "", "log"),
    ("files_with_secrets_are_sensitive", "roles/store/tasks/configure.yml", "sensitive: t", "x: t", "not '"),
    ("files_with_secrets_are_sensitive", "roles/store/tasks/configure.yml", "0600", "0644", "everyone"),
    ("templates_stand_where_their_files_go", "roles/store/templates/x.conf", "", "x", "is not"),
    ("templates_have_a_header", "roles/store/templates/etc/store.conf.j2", "{{ ansible_managed }}", "", "no an"),
    ("templates_parse_and_know_their_variables", "roles/store/templates/etc/store.conf.j2", "_port", "_prt", "no"),
    ("templates_parse_and_know_their_variables", "roles/store/templates/etc/store.conf.j2", "}}", "}", "unexp"),
    ("templates_are_used", "roles/store/templates/etc/other.j2", "", "x", "nothing uses it"),
    ("python_files_have_the_header", "plugins/modules/thing.py", "# GNU", "# BSD", "no licence header"),
    ("modules_are_documented", "plugins/modules/thing.py", "RETURN = ", "RETURNED = ", "no RETURN"),
    ("modules_are_documented", "plugins/modules/thing.py", "  diff_mode: {support: full}\n", "", "diff_mode"),
    ("modules_are_documented", "plugins/modules/thing.py", "version_added: 0.1.0\n", "", "version_added"),
    ("attributes_are_truthful", "plugins/modules/thing.py", "=True", "=False", "code refuses it"),
    ("attributes_are_truthful", "plugins/modules/thing.py", ", details: Not the first time.", "", "explained"),
    ("modules_are_short", "plugins/modules/thing.py", "    run(", "\n" * 90 + "    run(", "lines of code"),
    ("connections_are_action_groups", "plugins/modules/thing.py", "s.actiongroup_vault", "s.x", "not in"),
    ("action_groups_are_those_documented", "meta/runtime.yml", "- thing", "- other", "the modules say"),
    ("private_code_says_so", "plugins/module_utils/_thing/plan.py", "Private to", "Of", "does not say"),
    ("private_packages_have_unit_tests", "tests/unit/plugins/module_utils/_thing/test_plan.py", "", None, "no u"),
    ("private_packages_have_unit_tests", "tests/unit/plugins/plugin_utils/test_state.py", "", None, "no unit"),
    ("modules_meet_their_service", "tests/integration/targets/thing/tasks/main.yml", "thing:", "x:", "no target"),
    ("modules_meet_their_service", "tests/integration/tested_elsewhere.yml", "", "thing: {by: LICENSE, why: x}\n", "has a target"),
    ("playbooks_have_a_header", "playbooks/deploy.yml", "# Variables", "# Values", "'Variables'"),
    ("playbooks_are_documented", "README.md", "mcp.platform.deploy", "deploy", "names mcp.platform.deploy"),
    ("playbooks_are_verb_and_noun", "playbooks/Deploy-All.yml", "", "[]", "address"),
    ("files_carry_their_licence", "playbooks/deploy.yml", miniature.SPDX, "", "no SPDX"),
    ("no_foreign_places", "README.md", "Store", "https://py" + "pi.org/x", "README.md:1"),
    ("no_foreign_places", "README.md", "Store", "/wo" + "rk/main", "README.md:1"),
    ("no_foreign_places", "README.md", "Store", "sum.go" + "lang.org", "README.md:1"),
    ("names_say_something", "plugins/module_utils/_common/x.py", "", miniature.HEADER, "says nothing"),
    ("artefacts_are_catalogued", "meta/catalogue.yml", "licence: MIT, ", "", "no licence"),
    ("artefacts_are_catalogued", "meta/catalogue.yml", "aaaa", "", "no whole checksum"),
    ("artefacts_are_catalogued", "meta/catalogue.yml", "kind: x", "kind: go", "no whole sum of its sources"),
    ("changes_are_told", "changelogs/fragments/1.yml", "", None, "there is none"),
    ("changes_are_told", "changelogs/fragments/1.yml", "bugfixes", "fixes", "no section fixes"),
    ("galaxy_file_is_complete", "galaxy.yml", "version: 0.1.0", "version: one", "semantic"),
    ("galaxy_file_is_complete", "galaxy.yml", "[.cache]", "[]", "archive"),
    ("every_scenario_is_run", "molecule/other/converge.yml", "", "[]", "is no scenario"),
    ("every_scenario_is_run", "tests/speed/run.py", "", miniature.HEADER, "no suite runs it"),
    ("every_action_of_a_scenario_runs", "molecule/store/molecule.yml", "{}", "scenario: {test_sequence: [side_effect x.yml]}", "nothing runs"),
    ("every_target_is_run", "tests/integration/targets/thing/tasks/main.yml", "", None, "neither"),
    ("sanity_ignores_nothing", "tests/sanity/ignore-2.21.txt", "", "x\n", "ignores something"),
    ("linters_skip_nothing", ".ansible-lint", "profile", "skip_list: [x]\nprofile", "skip_list"),
    ("linters_skip_nothing", "playbooks/deploy.yml", "hosts: all", "hosts: all  # noqa: name", "rule off"),
    ("generated_files_are_fresh", "roles/store/meta/argument_specs.yml", "TCP port", "Port", "generate_docs"),
    ("links_lead_somewhere", "README.md", "(LICENSE)", "(LICENCE)", "there is no LICENCE"),
    ("yaml_is_readable", "playbooks/deploy.yml", "hosts: all", "hosts: [all", "playbooks/deploy.yml"),
]  # fmt: skip


def _spoil(path: Path, old: str, new: str | None) -> None:
    """Replace *old* by *new* in the file; without *old* write it anew, without *new* remove it."""
    if new is None:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    text = path.read_text() if old else ""
    assert old in text
    path.write_text(text.replace(old, new) if old else new)


@pytest.mark.parametrize(("name", "file", "old", "new", "expected"), SPOILT)
def test_check_fails_on_a_spoilt_tree(
    tmp_path: Path, name: str, file: str, old: str, new: str | None, expected: str
) -> None:
    miniature.write(tmp_path)
    assert CHECKS[name](tmp_path) == []
    _spoil(tmp_path / file, old, new)
    assert expected in "\n".join(CHECKS[name](tmp_path))


def test_every_check_is_seen_failing() -> None:
    assert {name for name, *_unused in SPOILT} == set(CHECKS)
