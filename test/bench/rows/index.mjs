/** The rows in the order of the table: name (for --only), file, and whether each Node line is measured. */
export const ROWS = [
  { name: 'record', file: 'record.mjs', everyLine: true },
  { name: 'preload', file: 'preload.mjs', everyLine: false },
  { name: 'rotation', file: 'rotation.mjs', everyLine: false },
  { name: 'idle', file: 'idle.mjs', everyLine: true },
  { name: 'cpu-service', file: 'cpu-service.mjs', everyLine: false },
  { name: 'cpu-work', file: 'cpu-work.mjs', everyLine: false },
  { name: 'latency', file: 'latency.mjs', everyLine: false },
  { name: 'console-log', file: 'console-log.mjs', everyLine: false },
  { name: 'async', file: 'async.mjs', everyLine: true },
  { name: 'histogram', file: 'histogram.mjs', everyLine: false },
  { name: 'ring', file: 'ring.mjs', everyLine: false },
  { name: 'span', file: 'span.mjs', everyLine: false },
  { name: 'sample-bytes', file: 'sample-bytes.mjs', everyLine: false },
  { name: 'sample-encode', file: 'sample-encode.mjs', everyLine: false },
  { name: 'pprof', file: 'pprof.mjs', everyLine: false },
  { name: 'collector', file: 'collector.mjs', everyLine: false },
];
