#!/usr/bin/env bash
set -ex
if [[ "$TESTS" == "unit" ]]; then (exit 3); fi
