/** A program that does nothing until its channel closes; argv[2] 'worker': with a bare worker thread that does nothing. */
const { Worker } = require('node:worker_threads');

if (process.argv[2] === 'worker')
  new Worker("require('node:worker_threads').parentPort.on('message', () => {})", { eval: true });
process.on('disconnect', () => process.exit(0));
process.send({ ready: true });
