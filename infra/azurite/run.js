// Starts Azurite with the arguments of the command line, and ends when its standard input does:
// so it never outlives the test that started it, however that test ends.
'use strict';

process.stdin.resume();
process.stdin.on('end', () => process.kill(process.pid, 'SIGTERM'));

require('./loki.js');
require('azurite/dist/src/azurite.js');
