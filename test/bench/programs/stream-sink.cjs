/** What thread-stream writes into in its worker: nothing. */
const { Writable } = require('node:stream');

module.exports = () => new Writable({ write: (_chunk, _encoding, done) => done() });
