# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The smallest tree that keeps the contract: one role, one module, one playbook."""

from __future__ import annotations

from pathlib import Path

SPDX = "# SPDX-License-Identifier: GPL-3.0-or-later\n"
HEADER = (
    "# Copyright: Contributors to the mcp.platform project\n"
    "# GNU General Public License v3.0+ (see LICENSE)\n" + SPDX
)

ROLE = {
    "README.md": """# mcp.platform.store

```yaml
- hosts: all
  roles: [mcp.platform.store]
```

## Inputs
<!-- inputs -->
| Input | Type | Default | Meaning |
|---|---|---|---|
| `store_hosts` | list of str | **required** | Members. |
| `store_port` | int | `7000` | TCP port. |
| `store_password` | str |  | Password of the owner. |
<!-- /inputs -->

## Outputs
None.

## What breaks
Nothing.

## Rollback
None.

## Security
TLS only.
""",
    "defaults/main.yml": SPDX
    + """# store_hosts:
store_port: 7000
# store_password:
""",
    "meta/argument_specs.yml": SPDX
    + """argument_specs:
  main: &main
    short_description: Run a store
    description: It stores.
    options:
      store_hosts: {type: list, elements: str, required: true, description: Members.}
      store_port: {type: int, default: 7000, description: TCP port.}
      store_password: {type: str, no_log: true, description: Password of the owner.}
  validate: *main
  verify: *main
""",
    "meta/main.yml": SPDX
    + """galaxy_info:
  role_name: store
  description: A store
  license: GPL-3.0-or-later
dependencies: []
""",
    "meta/rules.yml": SPDX
    + """listens: [store_port]
rules:
  - that: store_hosts | difference(groups['all']) | length == 0
    what: a member is not in the inventory
    where: store_hosts
    hint: Correct the name.
""",
    "tasks/main.yml": SPDX
    + """- name: Refuse what can't work
  ansible.builtin.import_tasks: validate.yml
  tags: [validate]

- name: Place settings
  ansible.builtin.import_tasks: configure.yml
  tags: [configure]

- name: Prove it
  ansible.builtin.import_tasks: verify.yml
  tags: [verify]
""",
    "tasks/validate.yml": SPDX
    + """- name: validate | Check the inputs
  mcp.platform.role_inputs:
    roles: [store]
""",
    "tasks/configure.yml": SPDX
    + """- name: configure | Place the settings
  mcp.platform.config_files:
    files:
      - dest: /etc/store.conf
        template: etc/store.conf.j2
        mode: "0600"
        sensitive: true

- name: configure | Make the owner
  other.collection.thing:
    password: "{{ store_password }}"
  no_log: true
  register: __store_owner
""",
    "tasks/verify.yml": SPDX
    + """# No module reads it.
- name: verify | Read what was stored
  ansible.builtin.command:
    argv: [store, read]
  changed_when: false
""",
    "templates/etc/store.conf.j2": SPDX
    + """# {{ ansible_managed }}
port {{ store_port }} {{ __store_owner.name | basename }}
password {{ store_password }}
""",
    "vars/main.yml": SPDX + "__store_unit: store.service\n",
}

MODULE = (
    HEADER
    + '''"""A module."""

DOCUMENTATION = r"""
module: thing
short_description: Keep a thing
version_added: 0.1.0
extends_documentation_fragment: [mcp.platform.attributes, mcp.platform.vault, mcp.platform.attributes.actiongroup_vault]
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
  idempotent: {support: partial, details: Not the first time.}
"""
EXAMPLES = r"""
"""
RETURN = r"""
"""


def main() -> None:
    run({}, supports_check_mode=True)
'''
)

FILES = {
    **{f"roles/store/{name}": text for name, text in ROLE.items()},
    "plugins/modules/thing.py": MODULE,
    "plugins/module_utils/_thing/plan.py": HEADER + '"""Private to mcp.platform: plans."""\n',
    "plugins/plugin_utils/state.py": HEADER + '"""Private to mcp.platform: state."""\n',
    "tests/unit/plugins/module_utils/_thing/test_plan.py": HEADER,
    "tests/unit/plugins/plugin_utils/test_state.py": HEADER,
    "tests/integration/targets/thing/tasks/main.yml": SPDX
    + "- name: Make it\n  mcp.platform.thing:\n    name: x\n",
    "tests/suites/catalogue.py": HEADER
    + '# (ROOT / "molecule").glob("*/molecule.yml"), tests/unit, tests/integration\n',
    "molecule/store/molecule.yml": SPDX + "{}\n",
    "playbooks/deploy.yml": SPDX
    + "# Deploys the store.\n#\n# Variables: store_port\n# Example: ansible-playbook mcp.platform.deploy\n"
    + "- name: Deploy\n  hosts: all\n",
    "README.md": "# Store\n`mcp.platform.deploy`, see [the licence](LICENSE).\n",
    "LICENSE": "GPL\n",
    "galaxy.yml": SPDX
    + "namespace: mcp\nname: platform\nversion: 0.1.0\nreadme: README.md\nauthors: [x]\ndescription: x\n"
    + "license_file: LICENSE\ntags: [x]\nrepository: x\nissues: x\nbuild_ignore: [.cache]\n",
    "meta/runtime.yml": SPDX
    + "# Below: written by tools/generate_docs from the modules' documentation.\n"
    + "action_groups:\n  vault:\n    - thing\n",
    "meta/catalogue.yml": SPDX
    + "artefacts:\n  store:\n    {version: '1', licence: MIT, kind: x, summary: x, provenance: x,\n"
    + f"     architectures: {{x86_64: {{binary_sha256: {'a' * 64}}}}}}}\n",
    "changelogs/config.yaml": SPDX
    + "sections: [[bugfixes, Bug fixes]]\nprelude_section_name: release_summary\ntrivial_section_name: t\n",
    "changelogs/fragments/1.yml": SPDX + "bugfixes: [Mended.]\n",
    ".ansible-lint": SPDX + "profile: production\n",
}


def write(tree: Path) -> None:
    """Write the miniature tree."""
    for name, text in FILES.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
