const fs = require('fs');
fs.mkdirSync('lib', {recursive: true});
fs.writeFileSync('lib/shop.js', fs.readFileSync('src/shop.ts', 'utf8').replace(/: number/g, ''));
console.log('compiled 1 file');
