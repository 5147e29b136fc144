#!/usr/bin/env bash
set -e
echo "installed for ${TESTS}"
