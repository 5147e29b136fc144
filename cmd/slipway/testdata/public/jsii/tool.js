const fs = require('fs');
const did = {
  install: () => console.log('installed nothing'),
  build: () => { fs.mkdirSync('dist', {recursive: true}); fs.writeFileSync('dist/built.txt', 'built\n'); console.log('built'); },
  test: () => { console.error('3 of 3 well, one wanted 4'); process.exit(1); },
};
(did[process.argv[2]] || (() => { throw new Error('no ' + process.argv[2]); }))();
