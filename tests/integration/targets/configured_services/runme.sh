#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Needs a host whose first process is systemd, so it runs on the first host of a lab: of the one that
# TARGET_LAB and TARGET_SUBNET name, where it stands already, else of one that is made and destroyed
# here. LAB_NAME is not asked: it names the lab of whoever runs the tests.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(cd "$here/../../../.." && pwd -P)
export LAB_NAME=${TARGET_LAB:-configured-services} LAB_SUBNET=${TARGET_SUBNET:-10.77.251.0/24}

if [ ! -d "$HOME/.local/share/mcp-platform/labs/$LAB_NAME" ]; then
    trap 'ansible-playbook mcp.platform.destroy_lab' EXIT
    ansible-playbook mcp.platform.create_lab --extra-vars lab_hosts_count=1
fi
ansible-playbook --inventory "$root/inventories/lab" "$here/play.yml" "$@"
