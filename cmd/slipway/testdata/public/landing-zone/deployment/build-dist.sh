#!/bin/bash
[[ $# -eq 2 ]] || { echo "the bucket is not set, so $# arguments"; exit 1; }
mkdir -p dist && echo "$1 $2" > "dist/$1-$2.txt"
