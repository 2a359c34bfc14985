#!/usr/bin/env bash
# Runs git with the token in STATE_TOKEN for github.com: `scripts/with_state_token.sh push ...`. Without a token it is plain git.
# The token is in no argument, which every process may read, and in no file, as the checkout would keep it for all that the job runs.
set -euo pipefail
if [ -n "${STATE_TOKEN:-}" ]; then
  GIT_CONFIG_VALUE_0="AUTHORIZATION: basic $(printf 'x-access-token:%s' "$STATE_TOKEN" | base64 | tr -d '\n')"
  export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=http.https://github.com/.extraheader GIT_CONFIG_VALUE_0
fi
exec git "$@"
