# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh disable=SC2016
# Runs once in the new root of the lab's image, with LAB_SOURCES set: makes of a minimal Debian what an
# installer would have left on a server.

printf '%s\n' "$LAB_SOURCES" >/etc/apt/sources.list.d/debian.sources
rm -f /etc/apt/sources.list
apt-get update -qq
apt-get upgrade -qq -y

# A user that can only do things through sudo, as on a site's machines.
useradd --create-home --shell /bin/bash platform
install -m 0440 /dev/null /etc/sudoers.d/platform
echo 'platform ALL=(ALL:ALL) NOPASSWD: ALL' >/etc/sudoers.d/platform
mkdir -p /etc/ssh/sshd_config.d
printf '%s\n' 'PasswordAuthentication no' 'PermitRootLogin no' >/etc/ssh/sshd_config.d/lab.conf

# What may differ between hosts is made by each of them when it first boots.
rm -f /etc/ssh/ssh_host_*
: >/etc/machine-id
ln -sf /etc/machine-id /var/lib/dbus/machine-id
printf '%s\n' '127.0.0.1 localhost' '::1 localhost ip6-localhost ip6-loopback' >/etc/hosts
cat >/etc/systemd/system/lab-first-boot.service <<'EOF'
[Unit]
Description=Identity of a lab host
ConditionPathExists=!/var/lib/lab-first-boot
DefaultDependencies=no
After=local-fs.target
Before=ssh.service

[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -q -t ed25519 -N "" -C "" -f /etc/ssh/ssh_host_ed25519_key
ExecStart=/bin/sh -c 'echo "127.0.1.1 $(uname -n)" >>/etc/hosts'
ExecStart=/usr/bin/touch /var/lib/lab-first-boot

[Install]
WantedBy=multi-user.target
EOF
systemctl enable --quiet lab-first-boot.service ssh.service

# A container of this kind shares the machine's kernel and its devices: the kernel's modules and
# settings, its consoles, and its power and lid switches are not the lab's business.
systemctl mask --quiet systemd-modules-load.service systemd-sysctl.service \
    console-getty.service getty.target systemd-logind.service

ln -sf /usr/share/zoneinfo/Etc/UTC /etc/localtime
apt-get clean
rm -rf /var/lib/apt/lists/* /var/log/*.log /var/log/apt/*
