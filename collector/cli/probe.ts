/** Looks whether somebody listens at an address, by a connection that says nothing. */
import { connect } from 'node:net';

const WAIT_MILLIS = 2000;
const DEFAULT_PORTS: Record<string, number> = { 'ws:': 80, 'wss:': 443 };

/** `refused` is called where nobody listens, once; never where that cannot be told. Gives what ends the look. */
export function probe(url: string, refused: () => void): () => void {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const socket = connect({ host, port: port === '' ? (DEFAULT_PORTS[protocol] ?? 80) : Number(port) });
  const end = () => {
    socket.destroy();
  };
  socket.setTimeout(WAIT_MILLIS, end);
  socket.on('connect', end);
  socket.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ECONNREFUSED') refused();
  });
  return end;
}
