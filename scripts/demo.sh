#!/usr/bin/env bash
# Embedded recordings -> trained, gated, pushed. Prints how to listen.
set -euo pipefail
python=.venv/bin/python
recordings=data/recordings/demo
if [ -z "$(ls "$recordings"/*.flac 2>/dev/null)" ]; then # all takes or none, so that an interrupted demo begins anew
  part=data/recordings/.demo.part # hidden, so that an interrupted demo leaves no half set of recordings
  "$python" -m data.demo.generate --folder "$part" --minutes 3
  rm -rf "$recordings"
  mv "$part" "$recordings"
fi
settings=(--set trainer.steps=600)
if ! "$python" -m components.browser_validator.chromium >/dev/null 2>&1; then
  echo "no Chromium was found: WebGL goes unchecked in this demo" >&2
  settings+=(--set browser_validator.require_webgl=false)
fi
"$python" local_runner.py run --instrument demo --recordings "$recordings" --output out "${settings[@]}"
echo
echo "Listen: open out/demo/report.html in a browser (originals and resyntheses side by side), or turn your own voice into the flute:"
echo "  $python local_runner.py render --bundle out/pushed/demo --input voice.wav --output flute.wav"
echo "or play it in a browser, live:"
echo "  $python local_runner.py serve"
