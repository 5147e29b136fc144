set -eu
umask 077
openssl rand -hex 16 > key.snk
echo "key of $(wc -c < key.snk) bytes"
