/** What a live asynchronous resource waits for, by its type. */
import type { LiveResource } from '../async-page';

const STATES: Readonly<Record<string, string>> = {
  Timeout: 'sleep',
  Interval: 'ticking',
  Immediate: 'runnable',
  PROMISE: 'pending',
  TCPSERVERWRAP: 'listening',
  TCPWRAP: 'IO wait',
  TLSWRAP: 'IO wait',
  PIPESERVERWRAP: 'listening',
  PIPEWRAP: 'IO wait',
  TTYWRAP: 'IO wait',
  UDPWRAP: 'IO wait',
  TCPCONNECTWRAP: 'connecting',
  PIPECONNECTWRAP: 'connecting',
  SHUTDOWNWRAP: 'IO wait',
  WRITEWRAP: 'IO wait',
  HTTPINCOMINGMESSAGE: 'serving',
  HTTPCLIENTREQUEST: 'requesting',
  HTTP2SESSION: 'IO wait',
  HTTP2STREAM: 'IO wait',
  FSREQCALLBACK: 'fs wait',
  FSREQPROMISE: 'fs wait',
  FILEHANDLE: 'open',
  FILEHANDLECLOSEREQ: 'closing',
  FSEVENTWRAP: 'watching',
  STATWATCHER: 'watching',
  DNSCHANNEL: 'open',
  GETADDRINFOREQWRAP: 'dns wait',
  GETNAMEINFOREQWRAP: 'dns wait',
  QUERYWRAP: 'dns wait',
  PROCESSWRAP: 'child running',
  WORKER: 'worker running',
  MESSAGEPORT: 'open',
  SIGNALWRAP: 'listening',
  ZLIB: 'open',
};

const OTHER_STATE = 'waiting';
const THREAD_POOL = /(REQUEST|JOB)$/;

export function stateOf({ type, hasRun }: LiveResource): string {
  if (type === 'PROMISE' && hasRun) return 'running';
  return STATES[type] ?? (THREAD_POOL.test(type) ? 'thread pool' : OTHER_STATE);
}

/** async_hooks says TCPWRAP where process.getActiveResourcesInfo() says TCPSocketWrap. */
export function family(type: string): string {
  if (type === 'Interval') return 'TIMEOUT';
  return type.toUpperCase().replace(/(SOCKET)?WRAP$/, '');
}
