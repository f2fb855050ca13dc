/**
 * Works for argv[2] ms in small functions of many files, those of packages that the peers bring: YAML, compression,
 * digests, a cache, source maps, metrics.
 */
const { deflate, inflate } = require('pako');
const yaml = require('js-yaml');
const { TDigest } = require('tdigest');
const LRUCache = require('lru-cache');
const { SourceMapGenerator } = require('source-map');
const { Histogram, Registry } = require('prom-client');

let state = 1;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};
const text = Array.from(
  { length: 200 },
  (_, i) => `key${i}:\n  list: [1, 2, ${i}]\n  text: "number ${i}"\n  map: { yes: true, no: null }\n`,
).join('');
const bytes = Buffer.from(text);

const end = Date.now() + Number(process.argv[2]);
while (Date.now() < end) {
  yaml.load(text);
  inflate(deflate(bytes));
  const digest = new TDigest();
  for (let i = 0; i < 3000; i++) digest.push(random());
  digest.percentile(0.9);
  const cache = new LRUCache({ max: 100 });
  for (let i = 0; i < 5000; i++) {
    cache.set(`key ${i % 300}`, i);
    cache.get(`key ${(i * 7) % 300}`);
  }
  const map = new SourceMapGenerator({ file: 'out.js' });
  for (let i = 1; i < 500; i++)
    map.addMapping({ generated: { line: i, column: 0 }, original: { line: i, column: 2 }, source: 'in.js' });
  map.toString();
  const histogram = new Histogram({ name: 'h', help: 'h', labelNames: ['a'], registers: [new Registry()] });
  for (let i = 0; i < 2000; i++) histogram.observe({ a: String(i % 5) }, random() * 10);
}
