#!/usr/bin/python
# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: lab_hosts
short_description: Make and remove the hosts of a lab
version_added: 0.1.0
description:
  - A lab is a set of systemd containers with addresses of their own in a network of their own. They
    are reached over SSH, as machines are.
  - Several labs live side by side when their names and subnets differ.
  - Hosts that exist are started and kept, also when the image has changed since.
options:
  name:
    description: Name of the lab. Its network is called so, its containers C(name-host).
    type: str
    required: true
  subnet:
    description: The lab's private IPv4 network, a /24. Needed for O(state=present).
    type: str
  hosts:
    description: Names of the hosts. The first one gets the address .11, the next one .12, and so on.
    type: list
    elements: str
    default: [node1, node2, node3]
  image:
    description: Image that new hosts are made from. Needed for O(state=present).
    type: str
  authorized_key:
    description: Public key that the hosts' user C(platform) accepts. Needed for O(state=present).
    type: str
  apt_cache_image:
    description:
      - Image of the package cache that all labs of the machine share.
      - Without it the hosts use the machine's own apt proxy, where there is one.
    type: str
    default: ''
  drives:
    description:
      - Paths at which each new host has a volume besides its root file system, as a server has further drives.
        It outlives a restart of the host, and goes with it.
    type: list
    elements: path
    default: []
  memory_required:
    description: MiB of memory that have to be available before hosts are created or started.
    type: int
    default: 4096
  podman:
    description: Path of podman, or of a program that takes the same arguments.
    type: path
    default: podman
  state:
    description: V(absent) removes the lab's containers, their data, and its network.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - mcp.platform.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
  platform:
    platforms: debian
requirements:
  - podman
author:
  - Contributors to the mcp.platform project (@mcp-platform)
"""

EXAMPLES = r"""
- name: Make a lab of three hosts
  mcp.platform.lab_hosts:
    name: lab
    subnet: 10.77.0.0/24
    image: "{{ example.image }}"
    authorized_key: "{{ lookup('ansible.builtin.file', 'id_ed25519.pub') }}"
  register: lab

- name: Remove it
  mcp.platform.lab_hosts:
    name: lab
    state: absent
"""

RETURN = r"""
hosts:
  description: The lab's hosts; empty in check mode as far as they do not exist.
  type: list
  elements: dict
  returned: when O(state=present)
  contains:
    name:
      description: The host's name.
      type: str
      sample: node1
    container:
      description: Its container's name.
      type: str
      sample: lab-node1
    address:
      description: Its address.
      type: str
      sample: 10.77.0.11
    image:
      description: The image it was made from.
      type: str
      sample: localhost/mcp-platform-lab:1f0c35a1c2b7
    host_key:
      description: The public key of its SSH server, read inside the container.
      type: str
      sample: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample
"""

from typing import Any

from ansible_collections.mcp.platform.plugins.module_utils._core.module import (
    Context,
    Outcome,
    run,
)
from ansible_collections.mcp.platform.plugins.module_utils._lab.client import Podman
from ansible_collections.mcp.platform.plugins.module_utils._lab.lifecycle import (
    Request,
    make,
    remove,
)

OPTIONS: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "subnet": {"type": "str"},
    "hosts": {"type": "list", "elements": "str", "default": ["node1", "node2", "node3"]},
    "image": {"type": "str"},
    "authorized_key": {"type": "str", "no_log": False},
    "drives": {"type": "list", "elements": "path", "default": []},
    "apt_cache_image": {"type": "str", "default": ""},
    "memory_required": {"type": "int", "default": 4096},
    "podman": {"type": "path", "default": "podman"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def execute(context: Context) -> Outcome:
    """Make or remove the lab."""
    params = context.params
    podman = Podman(params["podman"])
    if params["state"] == "absent":
        return remove(podman, params["name"], check_mode=context.check_mode)
    request = Request(
        name=params["name"],
        subnet=params["subnet"],
        hosts=tuple(params["hosts"]),
        image=params["image"],
        authorized_key=params["authorized_key"],
        drives=tuple(params["drives"]),
        apt_cache_image=params["apt_cache_image"],
        memory_required=params["memory_required"],
    )
    return make(podman, request, check_mode=context.check_mode)


def main() -> None:
    """Run as an Ansible module."""
    run(
        execute,
        argument_spec=OPTIONS,
        required_if=[("state", "present", ["subnet", "image", "authorized_key"])],
    )


if __name__ == "__main__":
    main()
