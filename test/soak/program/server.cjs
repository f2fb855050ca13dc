/**
 * The serving half: routes that answer by work of every kind, requests to another server of the same process, and every
 * instrument of the agent. `openServers()` resolves to { port, close() }; a closed one lets the process end.
 */
const { pbkdf2 } = require('node:crypto');
const { readFile } = require('node:fs/promises');
const { Agent, createServer, get } = require('node:http');
const { promisify } = require('node:util');
const { gzip } = require('node:zlib');
const ringtail = require('../../../build/agent/index.js');
const { counts } = require('./counts.cjs');

const ORDERS_KEPT = 5000;
const TENANTS = ['blue', 'green', 'red'];
const orders = new Map();
const timer = ringtail.timer('soak.work', { spans: true });
const sizes = ringtail.histogram('soak.size', { unit: 'By' });
const ordered = ringtail.counter('soak.orders');
const kept = ringtail.gauge('soak.kept');
const crew = ringtail.pool('soak-crew', { size: 4, stacks: true });
const mails = ringtail.queue('soak-mails', { capacity: 100 });
const { port1, port2 } = new MessageChannel();
const toMails = ringtail.timedPort(port1, 'soak-port');
ringtail.timedPort(port2, 'soak-port').on('message', () => mails.remove());
const outgoing = new Agent({ keepAlive: true, maxSockets: 4 });

const ROUTES = {
  orders: (id) => {
    const order = { id, lines: Array.from({ length: 20 }, (_, i) => ({ i, text: `line ${i} of ${id}` })) };
    orders.set(id % ORDERS_KEPT, order);
    ordered.add();
    counts.orders++;
    kept.set(orders.size);
    return JSON.stringify(order);
  },
  pages: async (id) => {
    mails.add();
    toMails.postMessage({ id });
    await new Promise((done) => setTimeout(done, 5));
    return `page ${id}`;
  },
  hashes: (id) => promisify(pbkdf2)(String(id), 'salt', 500, 32, 'sha256'),
  zips: (id) => promisify(gzip)(Buffer.alloc(8192, id)),
  files: () => readFile(__filename),
  upstream: (id, port) => (id % 2 === 0 ? fetched(port) : gotten(port)),
  failures: () => {
    throw new Error('as it should');
  },
};

async function fetched(port) {
  counts.outbound++;
  return (await fetch(`http://127.0.0.1:${port}/stock`)).text();
}

function gotten(port) {
  counts.outbound++;
  return new Promise((done, failed) => {
    get({ host: '127.0.0.1', port, path: '/stock', agent: outgoing }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      response.on('end', () => done(text));
    }).on('error', failed);
  });
}

async function handle(request, response, upstreamPort) {
  const [, name = '', id = '0'] = request.url.split('/');
  const job = crew.enqueue();
  const begun = timer.start();
  counts.timed++;
  job.start();
  try {
    const body = await ringtail.withLabels({ tenant: TENANTS[Number(id) % 3] }, () =>
      ROUTES[name](Number(id), upstreamPort),
    );
    sizes.record(body.length);
    response.end(body);
  } catch {
    response.writeHead(500).end('no');
  } finally {
    timer.stop(begun);
    job.end();
  }
}

/** A server that counts its requests when they are over, as the agent does. */
async function listening(onRequest) {
  const server = createServer((request, response) => {
    response.once('close', () => counts.requests++);
    void onRequest(request, response);
  });
  await new Promise((listens) => server.listen(0, '127.0.0.1', listens));
  return server;
}

exports.openServers = async () => {
  const upstream = await listening((_, response) => void setTimeout(() => response.end('3 lamps'), 3));
  const upstreamPort = upstream.address().port;
  const server = await listening((request, response) => handle(request, response, upstreamPort));
  return {
    port: server.address().port,
    close: async () => {
      await new Promise((closed) => server.close(closed));
      outgoing.destroy();
      port1.close();
      upstream.closeAllConnections();
      await new Promise((closed) => upstream.close(closed));
    },
  };
};
