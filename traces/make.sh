#!/bin/sh
# Makes the bundled traces from their sources: traces/make.sh FOLDER, where FOLDER holds the .npz files.
# The same sources give the same bytes; compare with the table in README.md.
set -eu
sources=${1:?"usage: traces/make.sh FOLDER (with the recorded .npz files)"}
here=$(cd "$(dirname "$0")" && pwd)
kneadsim() { node "$here/../dist/cli/main.js" "$@"; }

for name in lenet5-fmnist-early-s00005 lenet5-fmnist-mid-s00300 lenet5-fmnist-late-s01500 \
  resnet8-fmnist-late-s00600 tcn-seqfmnist-mid-s00150 tcn-seqfmnist-late-s00600; do
  kneadsim trace import "$sources/$name.npz" --licence MIT --out "$here/$name.safetensors"
done

# Weights only: the sources carry no input sizes, so every convolution gets the one given here.
weights() {
  name=$1
  shift
  kneadsim trace import "$sources/$name.npz" "$@" --out "$here/$name.safetensors"
}
weights waifu2x-vgg7-scale2.0x --input 32x32
weights faceapi-tiny_face_detector --layout hwio --input 32x32
weights mediapipe-selfie_segmentation --layout ohwi --input 32x32
