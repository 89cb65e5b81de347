#!/usr/bin/env bash
# A class withheld but for five examples, four classes in turn: generators that never saw the class, then the protocol.
#
#   scripts/experiments/few_shot.sh DATASET OUT [further options of `terragen evaluate few-shot`]
#
# DATASET is dubai_landcover, imported by its recipe. Stopped at any time, the same command goes on.
set -euo pipefail
dataset=$1
out=$2
shift 2
terragen=${TERRAGEN:-build/release/bin/terragen}
classes=(water vegetation road building)
list=$(IFS=,; echo "${classes[*]}")
protocol=(evaluate few-shot "$dataset" --classes "$list" -o "$out" --train-steps 750 --crop 192 --scenes 40 --things 4
  # A generator of an hour knows no texture that it never saw: the example shines through, or is pasted as it is.
  --strength 0.5,0.3,0 --guidance 1 --decoys 4)
# Real images alone need no generator, and the base sets come about.
"$terragen" "${protocol[@]}" --methods real "$@"
# On one thread each: two generators side by side take less time than one on two threads after the other.
learn() { # CLASS...
  local class
  for class in "$@"; do
    [ -e "$out/$class/generator/model/model_index.json" ] ||
      "$terragen" train generator "$out/$class/base" -o "$out/$class/generator" --from models/terragen-base \
        --autoencoder-only --labelled-only --reference-share 0.8 --transplant-share 0.7 --inpaint-share 0.1 \
        --cycle 400 --threads 1 --unet-channels 64,128,192 --layout-channels 48,64,96 --steps 3500 \
        --batch 32 --crop 128 --learning-rate 5e-4 --ema 0.998 --resume
  done
}
learn "${classes[@]:0:2}" &
other=$!
learn "${classes[@]:2}"
wait "$other"
models=()
for class in "${classes[@]}"; do models+=(--model "$class=$out/$class/generator/model"); done
exec "$terragen" "${protocol[@]}" "${models[@]}" --json "$out/few_shot.json" "$@"
