#!/usr/bin/env bash
# Prints the set of packages for this machine and a Python for it: `new PATH` or `old PATH`. One line on standard error states the reason,
# or, with exit code 2, what to install. SWARA_STACK=old|new chooses the set, SWARA_PYTHON=PATH the Python.
#
#   new: TFX 1.21, Python 3.11 to 3.13, on Linux x86_64 with glibc 2.39 or newer and on Apple silicon (requirements/new)
#   old: TFX 1.16, Python 3.10, on Linux x86_64 (requirements/old)
set -u
newest=(3.13 3.12 3.11)
system=$(uname -s)-$(uname -m)

fail() {
  echo "error: $1" >&2
  exit 2
}

case $system in
  Linux-x86_64)
    glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | sed -n 's/^glibc //p')
    [ -n "$glibc" ] || fail "the packages need Linux with glibc, or macOS on Apple silicon; this system has another C library"
    platform="Linux with glibc $glibc"
    sets=old
    if [ "$(printf '%s\n' 2.39 "$glibc" | sort -V | head -1)" = 2.39 ]; then sets="new old"; fi
    ;;
  Darwin-arm64)
    platform="macOS on Apple silicon"
    sets=new
    ;;
  *) fail "the packages need Linux x86_64, or macOS on Apple silicon; this is ${system/-/ }" ;;
esac

case ${SWARA_STACK:-} in
  "") why="$platform" ;;
  old | new)
    [[ " $sets " == *" $SWARA_STACK "* ]] ||
      fail "SWARA_STACK=$SWARA_STACK needs $([ "$SWARA_STACK" = new ] && echo "glibc 2.39 or newer, or Apple silicon" || echo "Linux x86_64"); this is $platform"
    sets=$SWARA_STACK
    why="SWARA_STACK=$SWARA_STACK"
    ;;
  *) fail "SWARA_STACK is '$SWARA_STACK': it must be old or new" ;;
esac

versions() { # of Python that a set supports, the preferred one first
  if [ "$1" = new ]; then echo "${newest[*]}"; else echo 3.10; fi
}

candidates() { # paths or names that may be Python $1
  if [ -n "${SWARA_PYTHON:-}" ]; then
    echo "$SWARA_PYTHON"
    return
  fi
  printf '%s\n' "python$1" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1".*/bin/"python$1" python3
  uv python find --no-python-downloads "$1" 2>/dev/null
}

bare=
for set in $sets; do
  for version in $(versions "$set"); do
    while read -r candidate; do
      found=$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2], sys.executable)' 2>/dev/null </dev/null) || continue
      [ "${found%% *}" = "$version" ] || continue
      path=${found#* }
      if ! "$path" -c 'import ensurepip, venv' 2>/dev/null </dev/null; then # Debian's python3 comes without
        bare=${bare:-$version}
        continue
      fi
      echo "packages: the $set set (requirements/$set) with Python $version, for $why" >&2
      echo "$set $path"
      exit 0
    done < <(candidates "$version")
  done
done

for set in $sets; do break; done # the first one is what this machine should have
wanted=$([ "$set" = new ] && echo "Python 3.11 to 3.13" || echo "Python 3.10")
offers() { apt-cache show "$1" >/dev/null 2>&1; } # whether apt has it
how="with uv python install $(versions "$set" | cut -d' ' -f1) (or pyenv)"
if [ "$system" = Darwin-arm64 ]; then
  how="with brew install python@3.13, or uv python install 3.13"
elif command -v apt-get >/dev/null; then
  for version in ${bare:-$(versions "$set")}; do
    if offers "python$version-venv"; then
      how="with apt-get install python$version-venv"
      break
    fi
  done
fi
[ -z "${SWARA_PYTHON:-}" ] || fail "SWARA_PYTHON=$SWARA_PYTHON is not $wanted with the module venv, which the $set set needs"
[ -z "$bare" ] || fail "Python $bare has no module venv: install it $how"
fail "$wanted is needed for $why and was not found: install it $how, or set SWARA_PYTHON to its path"
