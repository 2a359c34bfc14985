#!/usr/bin/env bash
# Every benchmark of training and data: one JSON line each. With DDSP=PYTHON, that of an environment made as
# $SWARA_SHARED/baseline/README.md describes, training steps alternate with ddsp's and the ratios are printed.
set -euo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python
shared=${SWARA_SHARED:-../shared}
violin=$shared/recordings/violin
export TF_CPP_MIN_LOG_LEVEL=3

beside_ddsp() { # ddsp's configuration, our model
  local worker="$PWD/$python $PWD/benchmarks/train_step.py --worker --model $2 --batch 4 --seconds 4"
  "$DDSP" "$shared/baseline/bench_ddsp.py" --config "$1" --batch 4 --seconds 4 --steps 12 --pair "$worker" 2>/dev/null |
    "$python" -c 'import json, sys; print(json.dumps(json.load(sys.stdin)))'
}

parts_of_ddsp() { # cost of its harmonic synthesiser and its memory, and ours right after it
  local theirs ours
  theirs=$("$DDSP" "$shared/baseline/bench_ddsp.py" --config tiny --batch 4 --seconds 4 --steps 12 --no-savedmodel 2>/dev/null |
    sed -n '/^{/,$p') # Keras prints its summary first
  ours=$("$python" benchmarks/train_step.py --model harmonic 2>/dev/null)
  "$python" - "$theirs" "$ours" <<'END'
import json, sys
theirs, ours = map(json.loads, sys.argv[1:])
seconds = theirs["parts"]["harmonic signal"]["forward_backward_s"]["median"]
print(json.dumps({"part": "harmonic", "ddsp_s": seconds, "swara_s": ours["step"]["median"],
                  "times_faster": round(seconds / ours["step"]["median"], 1), "ddsp_peak_megabytes": theirs["max_rss_mb"]}))
END
}

for model in cnn gru256 gru512 harmonic; do
  "$python" benchmarks/train_step.py --model "$model" 2>/dev/null
done
for size in "1 4" "2 4" "8 4" "4 2" "4 8"; do # cost grows linearly with batch and length
  read -r batch seconds <<<"$size"
  "$python" benchmarks/train_step.py --model cnn --batch "$batch" --seconds "$seconds" 2>/dev/null
done
"$python" benchmarks/full_band_step.py 2>/dev/null # against 16 kHz, as it was before the full band
if [ -n "${DDSP:-}" ]; then
  beside_ddsp tiny cnn
  beside_ddsp tiny gru256
  beside_ddsp solo_instrument gru512
  parts_of_ddsp
fi
if [ -d "$violin" ]; then
  "$python" benchmarks/features.py "$violin" 2>/dev/null
  "$python" benchmarks/autoregressive.py "$(find "$violin" -type f | sort | head -1)" 2>/dev/null
else
  "$python" benchmarks/features.py 2>/dev/null
  echo "no recordings in $violin: benchmarks/autoregressive.py was left out" >&2
fi
