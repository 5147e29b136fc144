#!/bin/bash
set -e
echo "tests run with $NODE_OPTIONS in $(ls)"
