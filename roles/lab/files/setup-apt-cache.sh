# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# Runs once in a container of the lab's image: adds the package cache that the lab's hosts share.

apt-get update -qq
echo 'apt-cacher-ng apt-cacher-ng/tunnelenable boolean false' | debconf-set-selections
apt-get install -qq -y --no-install-recommends apt-cacher-ng

# Settings of its own instead of Debian's: those map well-known mirrors onto each other.
# Packages that nobody asked for in a month go; 443 is passed through for sources that need TLS.
mkdir -p /etc/lab-apt-cache
cat >/etc/lab-apt-cache/acng.conf <<'EOF'
CacheDir: /var/cache/apt-cacher-ng
LogDir: /var/log/apt-cacher-ng
SupportDir: /usr/lib/apt-cacher-ng
Port: 3142
ForeGround: 1
ExThreshold: 30
PassThroughPattern: :443$
VerboseLog: 0
EOF
apt-get clean
rm -rf /var/lib/apt/lists/*
