/**
 * The ways in which a program can leave, as source text. `load` is require in both module systems; every program
 * first works for a while, so that the agent is up when it leaves.
 */

export type WayOut = {
  name: string;
  /** The body, or one for each module system where they cannot be the same. */
  body: string | { cjs: string; esm: string };
  /** Sent from outside once the program has said READY. */
  signal?: NodeJS.Signals;
  /**
   * Node takes its inspector down inside these calls, before any JavaScript can run, and then names the session that
   * the agent still has: a line on stderr that cannot be avoided.
   */
  abrupt?: boolean;
};

export const READY = 'ready to be signalled';
export const NODE_LINE = 'Waiting for the debugger to disconnect...';

const WORK_MILLIS = 300;

const later = (code: string) => `setTimeout(() => { ${code} }, ${WORK_MILLIS});`;

export const WAYS_OUT: readonly WayOut[] = [
  { name: 'return', body: later(`console.log('done');`) },
  { name: 'process.exit(7)', body: later(`console.log('leaving'); process.exit(7);`) },
  { name: 'exitCode', body: later('process.exitCode = 9;') },
  { name: 'throw', body: later(`console.log('throwing'); throw new Error('thrown on purpose');`) },
  { name: 'rejection', body: later(`Promise.reject(new Error('rejected on purpose'));`) },
  {
    name: 'SIGTERM without a handler',
    signal: 'SIGTERM',
    body: later(`console.log('${READY}'); setTimeout(() => {}, 5000);`),
  },
  {
    name: 'SIGTERM with a handler',
    signal: 'SIGTERM',
    body: `process.on('SIGTERM', (signal) => { console.log(signal); process.exit(3); });
${later(`console.log('${READY}'); setTimeout(() => {}, 5000);`)}`,
  },
  { name: 'SIGINT', signal: 'SIGINT', body: later(`console.log('${READY}'); setTimeout(() => {}, 5000);`) },
  {
    name: 'SIGTERM to itself',
    abrupt: true,
    body: later(`process.kill(process.pid, 'SIGTERM'); setTimeout(() => {}, 5000);`),
  },
  { name: 'process.abort', body: later(`process.abort();`) },
  {
    name: 'unfinished top-level await',
    body: {
      cjs: `${later(`console.log('worked');`)} (async () => { await new Promise(() => {}); })();`,
      esm: `${later(`console.log('worked');`)} await new Promise(() => {});`,
    },
  },
  {
    name: 'worker exit',
    body: `const { Worker } = load('node:worker_threads');
const worker = new Worker('setTimeout(() => process.exit(5), ${WORK_MILLIS})', { eval: true });
worker.on('exit', (code) => { console.log('worker', code); process.exitCode = code; });`,
  },
  {
    name: 'cluster worker exit',
    body: `const cluster = load('node:cluster');
if (cluster.isPrimary) {
  cluster.fork();
  cluster.on('exit', (worker, code, signal) => { console.log('cluster worker', code, signal); process.exitCode = code; });
} else { ${later('process.exit(6);')} }`,
  },
  { name: 'process.reallyExit', abrupt: true, body: later(`console.log('really'); process.reallyExit(4);`) },
  {
    name: 'removeAllListeners',
    body: later(
      `process.removeAllListeners('exit'); setTimeout(() => { console.log('bare'); process.exit(2); }, 300);`,
    ),
  },
];

export type ModuleSystem = 'cjs' | 'esm';

const PROLOGUE: Record<ModuleSystem, string> = {
  cjs: 'const load = require;',
  esm: `import { createRequire } from 'node:module';\nconst load = createRequire(import.meta.url);`,
};

/** The program as a file's text: with something of everything an agent watches before it leaves. */
export function programText({ body }: WayOut, system: ModuleSystem): string {
  return `${PROLOGUE[system]}
console.log('hello', [1, 2, 3].map((n) => n * n).join());
let kept = [];
for (let round = 0; round < 2e5; round++) kept = [round, kept.length];
${typeof body === 'string' ? body : body[system]}
`;
}
