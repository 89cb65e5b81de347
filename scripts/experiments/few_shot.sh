#!/usr/bin/env bash
# A class withheld but for five examples, four classes in turn: generators that never heard of the class, then the
# protocol.
#
#   ./dev run scripts/experiments/few_shot.sh DATASET ELSEWHERE OUT [further options of `terragen evaluate few-shot`]
#
# DATASET is dubai_landcover, imported by its recipe; ELSEWHERE holds imagery of other places without labels
# (without_labels.sh). Stopped at any time, the same command goes on.
set -euo pipefail
dataset=$1
elsewhere=$2
out=$3
shift 3
terragen=${TERRAGEN:-build/release/bin/terragen}
classes=(water vegetation road building)
list=$(IFS=,; echo "${classes[*]}")
protocol=(evaluate few-shot "$dataset" --classes "$list" -o "$out" --train-steps 750 --crop 192 --scenes 40 --things 4
  # A generator of an hour does not paint everything: the example shines through, or is pasted as it is.
  --strength 0.5,0.3,0 --guidance 1 --decoys 4)
# Real images alone need no generator, and the base sets come about.
"$terragen" "${protocol[@]}" --methods real "$@"
unlabelled=("$elsewhere"/*/dataset.json)
unlabelled=("${unlabelled[@]%/dataset.json}")
learned() { [ -e "$1/model/model_index.json" ]; }
# First what the ground of other places looks like, after pictures of it: no class has a name there.
learned "$out/ground" ||
  "$terragen" train generator "${unlabelled[@]}" -o "$out/ground" --from models/terragen-base --autoencoder-only \
    --reference-share 0.9 --transplant-share 1 --inpaint-share 0.1 --cycle 400 --threads 2 --data-parallel 2 \
    --unet-channels 64,128,192 --layout-channels 48,64,96 --steps 6000 --batch 32 --crop 128 --learning-rate 5e-4 \
    --ema 0.998 --resume
# Then the classes that are left, three times as often as any other place. On one thread each: two generators side by
# side take less time than one on two threads after the other.
learn() { # CLASS...
  local class base copy
  for class in "$@"; do
    base=$out/$class/base
    learned "$out/$class/generator" ||
      "$terragen" train generator "$base" "$base" "$base" "${unlabelled[@]}" -o "$out/$class/generator" \
        --from "$out/ground/model" --labelled-only --reference-share 0.8 --transplant-share 0.7 --inpaint-share 0.1 \
        --cycle 400 --threads 1 --steps 1000 --batch 32 --crop 128 --learning-rate 3e-4 --warmup 50 --ema 0.995 --resume
  done
}
learn "${classes[@]:0:2}" &
other=$!
learn "${classes[@]:2}"
wait "$other"
models=()
for class in "${classes[@]}"; do models+=(--model "$class=$out/$class/generator/model"); done
exec "$terragen" "${protocol[@]}" "${models[@]}" --json "$out/few_shot.json" "$@"
