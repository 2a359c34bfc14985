#!/usr/bin/env bash
# Installs, by apt, what the browser tests need and this machine lacks: Chromium; Firefox, which starts no sound without a sound server;
# WebKitGTK's driver, which needs a display.
set -euo pipefail
missing=()
need() { # PACKAGE PROGRAM ..., any of which will do
  command -v "${@:2}" >/dev/null || missing+=("$1")
}
need chromium chromium chromium-browser google-chrome google-chrome-stable
need firefox-esr firefox-esr firefox
need pulseaudio pulseaudio
need webkit2gtk-driver WebKitWebDriver
need xvfb Xvfb
[ ${#missing[@]} -gt 0 ] || exit 0
root=()
[ "$(id -u)" = 0 ] || root=(sudo)
"${root[@]}" apt-get update -qq
"${root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
