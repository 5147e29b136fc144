#!/bin/sh
echo "proxy started"
