#!/usr/bin/env bash
# Restores out/ from the state that scripts/keep_state.sh kept. Before a first retraining there is nothing to restore.
set -euo pipefail
cd "$(dirname "$0")/.."
remote=origin branch=swara-state restored=refs/swara/state
if [ -n "$(ls -A out 2>/dev/null)" ]; then
  echo "error: out/ is not empty: move it away, then the kept state can be restored there" >&2
  exit 2
fi
tip=$(scripts/with_state_token.sh ls-remote "$remote" "refs/heads/$branch") # fails where the remote cannot be reached: that is not "nothing is kept"
if [ -z "$tip" ]; then
  git update-ref -d "$restored"
  echo "nothing is kept on $remote yet: this is a first retraining"
  exit 0
fi
scripts/with_state_token.sh fetch --quiet --no-tags "$remote" "+refs/heads/$branch:$restored"
mkdir -p out
git archive "$restored" | tar -x -C out
.venv/bin/python -m pipeline.retraining.state settle out
echo "out/ is as the last retraining left it"
