#!/usr/bin/env bash
# Keeps out/ (metadata, models, what is pushed) between retrainings: the one commit of a branch of its own, replaced whole.
# Refuses where that branch is not the one that scripts/restore_state.sh restored: another retraining has changed it meanwhile.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ ! -d out ]; then
  echo "there is no out/: nothing was made, and the kept state stays as it is"
  exit 0
fi
remote=origin branch=swara-state restored=refs/swara/state
.venv/bin/python -m pipeline.retraining.state thin out
git_dir=$(git rev-parse --absolute-git-dir)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
(cd out && GIT_INDEX_FILE="$scratch/index" git --git-dir="$git_dir" --work-tree=. add --all --force .)
tree=$(GIT_INDEX_FILE="$scratch/index" git write-tree)
commit=$(git -c user.name=Swara -c user.email=swara@localhost commit-tree "$tree" -m "Keep what retraining made")
before=$(git rev-parse --quiet --verify "$restored" || true)
scripts/with_state_token.sh push --quiet --force-with-lease="refs/heads/$branch:$before" "$remote" "$commit:refs/heads/$branch"
git update-ref "$restored" "$commit"
echo "out/ is kept on branch $branch of $remote"
