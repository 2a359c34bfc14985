#!/usr/bin/env bash
# Runs a command in a Debian 13 root (glibc 2.41, Python 3.13), in a copy of this repository with a .venv of its own: for machines whose
# own glibc is too old for the new set of packages. Needs root and debootstrap; the root is made once and kept.
#
#   scripts/debian_root.sh COMMAND ...        SWARA_ROOT=FOLDER is the root (default: /var/tmp/swara-debian-13)
set -euo pipefail
cd "$(dirname "$0")/.."
root=${SWARA_ROOT:-/var/tmp/swara-debian-13}
shared=$(realpath "${SWARA_SHARED:-../shared}")
cache=${UV_CACHE_DIR:-$HOME/.cache/uv}

fail() { # WHAT, and the end of the log
  tail -5 "$root.log" >&2
  echo "error: $1: is the network there? All of it is in $root.log" >&2
  exit 1
}

[ "$(id -u)" = 0 ] || { echo "error: a Debian root is made and entered by root alone" >&2; exit 2; }
command -v debootstrap >/dev/null || { echo "error: debootstrap is missing: apt-get install debootstrap" >&2; exit 2; }

mkdir -p "$(dirname "$root")"
exec 9>"$root.lock"
flock --nonblock 9 || { echo "error: another command runs in $root" >&2; exit 2; }

if [ ! -e "$root/.complete" ]; then # an interrupted one is begun anew; nothing is mounted there outside the namespace below
  rm -rf "$root"
  debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates,git,make trixie "$root" >"$root.log" 2>&1 ||
    fail "debootstrap could not make a Debian root"
  apt-config dump | grep -E '^Acquire::(http|https|Check-Valid-Until|Check-Date)\b' >"$root/etc/apt/apt.conf.d/90host" || true
  for file in /etc/pip.conf "$HOME/.config/pip/pip.conf"; do
    if [ -e "$file" ]; then cp "$file" "$root/etc/pip.conf"; fi
  done
  echo 'APT::Install-Recommends "false";' >"$root/etc/apt/apt.conf.d/91small"
  chroot "$root" update-ca-certificates >/dev/null 2>&1
  cp --dereference /etc/resolv.conf /etc/hosts "$root/etc/"
  cp --dereference /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe-io" # an interrupted root is made anew
  echo 'path-exclude /usr/share/doc/*' >"$root/etc/dpkg/dpkg.cfg.d/no-docs"
  chroot "$root" sh -c 'apt-get update -qq && apt-get install -y -qq chromium nodejs npm >/dev/null' >>"$root.log" 2>&1 ||
    fail "Chromium and Node could not be installed in the Debian root"
  touch "$root/.complete"
fi
cp --dereference /etc/resolv.conf /etc/hosts "$root/etc/"

# The commit that is checked out here, and on top of it what has not been committed.
copy=$root/swara
[ -d "$copy/.git" ] || git init -q "$copy"
git -C "$copy" fetch -q --no-tags --update-shallow "$PWD" HEAD # CI checks out one commit
git -C "$copy" reset -q --hard FETCH_HEAD
git -C "$copy" clean -fdq
if ! git diff --quiet HEAD; then git diff --binary HEAD | git -C "$copy" apply --index; fi

find "$root/tmp" -mindepth 1 -delete # what an earlier command left
mkdir -p "$cache" "$root/shared" "$root/root/.cache/uv"
export root shared cache
exec unshare --mount --propagation private bash -euc '
  mount --bind /proc "$root/proc"
  mount --rbind /sys "$root/sys"
  mount --rbind /dev "$root/dev"
  mount --bind "$cache" "$root/root/.cache/uv"
  if [ -d "$shared" ]; then mount --bind -o ro "$shared" "$root/shared"; fi
  # The caller'"'"'s settings of package managers and certificates go with it; nothing that names its own Python or shell does.
  exec env -u PYENV_ROOT -u PYENV_VERSION -u VIRTUAL_ENV -u PYTHONPATH -u UV_CACHE_DIR -u SWARA_STACK -u SWARA_SHARED -u TMPDIR \
    HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 UV_LINK_MODE=copy \
    chroot "$root" sh -c '"'"'cd /swara && exec "$@"'"'"' swara "$@"
' swara "$@"
