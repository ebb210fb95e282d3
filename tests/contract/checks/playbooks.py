# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes a file a playbook of this collection."""

from __future__ import annotations

import re
from pathlib import Path

from checks import check
from checks.tree import text_of


def _playbooks(tree: Path) -> list[Path]:
    return sorted(tree.glob("playbooks/*.yml"))


@check
def playbooks_have_a_header(tree: Path) -> list[str]:
    """Purpose, variables, and an example to run, in the comment above the first play."""
    problems = []
    for path in _playbooks(tree):
        comment = re.split(r"^- ", path.read_text(), maxsplit=1, flags=re.MULTILINE)[0]
        lines = [line.lstrip("# ") for line in comment.splitlines() if line.startswith("#")]
        prose = [line for line in lines if line and "SPDX" not in line]
        where = path.relative_to(tree)
        if not prose or re.match(r"(variables|example)", prose[0], re.IGNORECASE):
            problems.append(f"{where}: its header does not say what it is for")
        for word in ("Variables", "Example"):
            if not any(line.startswith(word) for line in prose):
                problems.append(f"{where}: its header has no '{word}'")
    return problems


@check
def playbooks_are_documented(tree: Path) -> list[str]:
    """README or docs/ name every playbook as mcp.platform.<name>."""
    pages = [tree / "README.md", *tree.glob("docs/**/*.md")]
    text = "\n".join(text_of(page) for page in pages if page.exists())
    return [
        f"{path.relative_to(tree)}: neither README.md nor docs/ names mcp.platform.{path.stem}"
        for path in _playbooks(tree)
        if not re.search(rf"mcp\.platform\.{path.stem}\b", text)
    ]


@check
def playbooks_are_verb_and_noun(tree: Path) -> list[str]:
    """Lower case with underscores, so that they can be run by the collection's name."""
    return [
        f"{path.relative_to(tree)}: not a name that Ansible can address"
        for path in _playbooks(tree)
        if not re.fullmatch(r"[a-z][a-z0-9_]*", path.stem)
    ]
