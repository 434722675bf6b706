#!/usr/bin/env bash
# Brings the native runtimes that tests run against into a folder: an old TensorFlow Lite from npm, the newest LiteRT,
# OpenVINO and Vela from PyPI. What cannot be had is left out, and its tests are skipped.
# Usage: test/native/fetch.sh [FOLDER]
set -uo pipefail
folder=${1:-"$(cd "$(dirname "$0")/../.." && pwd)/.native-runtimes"}
mkdir -p "$folder" && cd "$folder"

case "$(uname -m)" in
  x86_64) old=linux_amd64 ;;
  aarch64) old=linux_arm64 ;;
  *) old=none ;;
esac

if [ ! -e tflite-2.9/libtensorflowlite_c.so ] && command -v npm >/dev/null; then
  mkdir -p tflite-2.9 && npm pack --silent --pack-destination . tfjs-tflite-node@0.0.2 >/dev/null &&
    tar xzf tfjs-tflite-node-0.0.2.tgz &&
    cp "package/cc_deps/$old/libtensorflowlite_c.so" tflite-2.9/ &&
    cp -r package/cc_deps/include tflite-2.9/
  rm -rf package tfjs-tflite-node-0.0.2.tgz
fi

wheel() { # requirement, folder
  [ -e "$2" ] && return
  python3 -m pip download --quiet --no-deps --dest downloads "$1" &&
    mkdir -p "$2" && python3 -m zipfile -e downloads/*.whl "$2"
  mv downloads/*.whl . 2>/dev/null
  rm -rf downloads
}
if command -v python3 >/dev/null; then
  wheel ai-edge-litert==2.3.0 litert-2.3
  wheel openvino==2026.4.1 openvino-2026.4
  if [ ! -x vela/bin/vela ]; then
    python3 -m venv vela && vela/bin/pip install --quiet ethos-u-vela==5.2.0
  fi
fi
ls
