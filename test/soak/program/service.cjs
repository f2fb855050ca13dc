/**
 * A service that uses everything the agent watches, all at once, in 10 to 15 % of a core. argv[2]: a folder to write in.
 * Talks to its parent: sends { port, agentTid } when it serves, { figures } every five seconds and when it is about to
 * end; ends by itself, with code 0, when it is told 'end'.
 */
const { found } = require('./before-agent.cjs');

const agentThread = found();
const { stats } = require('../../../build/agent/index.js');
const { counts } = require('./counts.cjs');
const { disturb } = require('./disturbances.cjs');
const { openServers } = require('./server.cjs');

const FIGURES_EVERY_MILLIS = 5000;

/** The heap of the agent's thread is left out at the end: nothing keeps a process alive for that answer. */
async function figures(atEnd = false) {
  const { user, system } = process.cpuUsage();
  const { state, faults, dropped, selfMicros } = stats();
  const agentHeapBytes = state === 'ready' && !atEnd ? await agentThread.heapBytes().catch(() => null) : null;
  const cpuMicros = user + system;
  return { counts: { ...counts }, cpuMicros, agentHeapBytes, agent: { state, faults, dropped, selfMicros } };
}

async function main() {
  const servers = await openServers();
  const disturbances = disturb(process.argv[2]);
  const told = setInterval(async () => process.send({ figures: await figures() }), FIGURES_EVERY_MILLIS);
  process.once('message', async () => {
    clearInterval(told);
    await disturbances.close();
    await servers.close();
    process.send({ figures: await figures(true) }, () => process.disconnect());
  });
  process.send({ port: servers.port, agentTid: agentThread.tid });
}

void main();
