set -euo pipefail
version=$(node -p 'require("./package.json").version')
mkdir -p dist/js
cp lib/shop.js dist/js/
node -e 'console.log(JSON.stringify({version: process.argv[1], files: ["js/shop.js"]}, null, 2))' "$version" > dist/manifest.json
echo "packed $version"
