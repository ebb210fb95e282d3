# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tools/generate_docs writes what the sources say, and touches nothing else."""

from __future__ import annotations

from pathlib import Path

import miniature
from checks.generated import generate_docs

SPECS = {
    "main": {
        "options": {
            "x_hosts": {
                "type": "list",
                "elements": "str",
                "required": True,
                "description": "O(x) | V(y).",
            },
            "x_mode": {
                "type": "dict",
                "default": {},
                "description": ["One.", "Two."],
                "options": {"kind": {"choices": ["a", "b"], "description": "Kind."}},
            },
        }
    },
    "remove": {
        "options": {"x_force": {"type": "bool", "default": False, "description": "Really."}}
    },
}


def test_inputs_are_a_table_with_nested_options() -> None:
    table = generate_docs.inputs_table(SPECS)
    assert "| `x_hosts` | list of str | **required** | `x` \\| `y`. |" in table
    assert "| `x_mode` | dict | `{}` | One. Two. |" in table
    assert "| `x_mode.kind` | str |  | Kind. One of `a`, `b`. |" in table
    assert "Only for `tasks_from: remove`:" in table
    assert "| `x_force` | bool | `false` | Really. |" in table


def test_only_what_is_between_the_markers_changes() -> None:
    written = generate_docs.readme_with_inputs(
        "a\n<!-- inputs -->\nold\n<!-- /inputs -->\nz\n", SPECS
    )
    assert written.startswith("a\n<!-- inputs -->\n| Input |")
    assert written.endswith("<!-- /inputs -->\nz\n")
    assert generate_docs.readme_with_inputs(written, SPECS) == written
    assert generate_docs.readme_with_inputs("no markers", SPECS) == "no markers"


def test_action_groups_replace_those_that_were_there() -> None:
    written = generate_docs.runtime_with_groups(
        "a: 1\naction_groups:\n  old: [x]\n", {"vault": ["y"]}
    )
    assert written.startswith("a: 1\n# Below")
    assert written.endswith("action_groups:\n  vault:\n    - y\n")
    assert generate_docs.runtime_with_groups(written, {"vault": ["y"]}) == written


def test_a_good_tree_is_fresh(tmp_path: Path) -> None:
    miniature.write(tmp_path)
    for name, text in generate_docs.generated_texts(tmp_path).items():
        assert (tmp_path / name).read_text() == text
