/**
 * What a timer, an immediate, an await and a request to its own server cost the main thread, ns of CPU each: short enough
 * that no budget ends hooks meanwhile.
 */
const { readFileSync } = require('node:fs');
const { createServer, get, Agent } = require('node:http');

const AGENT_STARTS_MILLIS = 1500;
const WARM_SHARE = 0.2;
const COUNTS = { timer: 100_000, immediate: 30_000, await: 300_000, request: 600 };

const work = {
  timer: async (count) => {
    for (let index = 0; index < count; index++) clearTimeout(setTimeout(nothing, 1e6));
  },
  immediate: async (count) => {
    for (let index = 0; index < count; index++) await new Promise((done) => setImmediate(done));
  },
  await: async (count) => {
    for (let index = 0; index < count; index++) await index;
  },
  request: async (count) => {
    for (let index = 0; index < count; index++) await request();
  },
};

const server = createServer((_request, response) => response.end('done'));
const agent = new Agent({ keepAlive: true });
let port = 0;

function nothing() {}

function request() {
  return new Promise((done, failed) => {
    const options = { host: '127.0.0.1', port, agent };
    get(options, (response) => response.resume().on('end', done)).on('error', failed);
  });
}

/** Of the main thread; elsewhere than on Linux the time that went by. */
function cpuNanos() {
  try {
    return Number.parseInt(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8'), 10);
  } catch {
    return performance.now() * 1e6;
  }
}

async function measured() {
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  port = server.address().port;
  const nanos = {};
  for (const [name, run] of Object.entries(work)) {
    await run(COUNTS[name] * WARM_SHARE);
    const start = cpuNanos();
    await run(COUNTS[name]);
    nanos[name] = (cpuNanos() - start) / COUNTS[name];
  }
  agent.destroy();
  server.close();
  return nanos;
}

setTimeout(async () => {
  const result = await measured();
  process.send({ result }, () => process.disconnect());
}, AGENT_STARTS_MILLIS);
