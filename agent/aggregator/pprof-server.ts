/**
 * /debug/pprof/* from the agent's own thread (RINGTAIL_PPROF): as Go programs have it, without a collector, and also
 * while the main thread hangs. Loopback only; names other than the loopback's in Host are refused, so that a web page
 * cannot rebind its name to us. Loaded only where it is asked for.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { pprofIndex } from '../../collector/profile/pprof-index';
import {
  agentAddress,
  isPprofFault,
  PPROF_TYPE,
  type PprofRequest,
  pprofFileName,
  pprofMediaType,
  readPprofRequest,
  refuseGoClient,
  TEXT_TYPE,
  TRACE_TYPE,
} from '../../collector/profile/pprof-request';
import { bearsToken } from './bearer';
import type { Profiles, Taken } from './profiles/profiles';

const PATH = '/debug/pprof/';
const PORTS_TRIED = 32;
const CONNECTIONS_MAX = 64;
const HEAD_TIMEOUT_MILLIS = 10_000;
const TEXT = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json';
const HTML = 'text/html; charset=utf-8';
const OWN_NAMES = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;
const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

export type PprofServerHost = {
  identity: { service: string; instance: string };
  profiles(): Promise<Profiles>;
  /** What lifts the rations of costly captures; null where there is none. */
  token(): string | null;
};

export class PprofServer {
  readonly #host: PprofServerHost;
  readonly #server: Server;

  constructor(host: PprofServerHost) {
    this.#host = host;
    this.#server = createServer({
      headersTimeout: HEAD_TIMEOUT_MILLIS,
      requestTimeout: HEAD_TIMEOUT_MILLIS,
      connectionsCheckingInterval: HEAD_TIMEOUT_MILLIS / 2,
    });
    this.#server.maxConnections = CONNECTIONS_MAX;
    this.#server.on('request', (request, response) => {
      this.#answer(request, response).catch((error: Error) => {
        if (!response.headersSent) fault(response, 500, error.message);
        else response.destroy();
      });
    });
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  /** Resolves with the port: the one asked for or, where that is taken, the next free one of 32. Rejects when none is. */
  async listen(address: string, port: number): Promise<number> {
    for (let tried = port; ; tried++) {
      try {
        return await this.#listenAt(address, tried);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code !== 'EADDRINUSE' || tried - port >= PORTS_TRIED - 1 || tried >= 65_535) throw error;
      }
    }
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #listenAt(address: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const failed = (error: Error) => reject(error);
      this.#server.once('error', failed);
      this.#server.listen(port, address, () => {
        this.#server.removeListener('error', failed);
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { host = '' } = request.headers;
    const site = request.headers['sec-fetch-site'] ?? 'none';
    if (!OWN_NAMES.test(host)) return fault(response, 403, `Host ${JSON.stringify(host)} is not this one's`);
    if (site !== 'none' && site !== 'same-origin')
      return fault(response, 403, 'a page of another site may not ask');
    const url = new URL(request.url?.replace(/^\/+/, '/') ?? '/', 'http://localhost');
    const { method = '' } = request;
    // Go's clients ask for symbols by POST; what comes with it is not read.
    const mayPost = method === 'POST' && url.pathname === `${PATH}symbol`;
    if (method !== 'GET' && method !== 'HEAD' && !mayPost) {
      response.setHeader('Allow', 'GET, HEAD');
      return fault(response, 405, `only GET and HEAD are served, got ${method}`);
    }
    const { service } = this.#host.identity;
    if (url.pathname === '/' || url.pathname === PATH.slice(0, -1)) {
      response.setHeader('Location', PATH);
      return send(response, TEXT, Buffer.from(`moved to ${PATH}\n`), 301);
    }
    if (!url.pathname.startsWith(PATH)) return fault(response, 404, `nothing here: see ${PATH}`);
    const name = url.pathname.slice(PATH.length);
    if (name === '') {
      response.setHeader('Content-Security-Policy', PAGE_POLICY);
      const page = pprofIndex([{ ...this.#host.identity, query: '' }], host);
      return send(response, HTML, Buffer.from(page));
    }
    if (name === 'cmdline') return send(response, TEXT, Buffer.from(service));
    if (name === 'symbol') return send(response, TEXT, Buffer.from('num_symbols: 1\n'));
    const asked = readPprofRequest(name, url.searchParams);
    if (isPprofFault(asked)) return fault(response, asked.status, asked.text);
    const refused = refuseGoClient(name, request.headers['user-agent']);
    if (refused !== null) return fault(response, refused.status, refused.text);
    // Nothing is made for who only wants to know whether there is something.
    if (method === 'HEAD') return head(response, asked);
    const token = this.#host.token();
    const proven = token !== null && bearsToken(request.headers.authorization, token);
    const gone = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) gone.abort();
    });
    let taken: Taken;
    try {
      taken = await (await this.#host.profiles()).take(agentAddress(asked, proven), gone.signal);
    } catch (error) {
      if (gone.signal.aborted) return;
      const { status = 500, message } = error as Error & { status?: number };
      return fault(response, status, message);
    }
    if (taken.mediaType === PPROF_TYPE || taken.mediaType === TRACE_TYPE)
      response.setHeader('Content-Disposition', attachment(asked));
    if (taken.mediaType !== TRACE_TYPE) return send(response, taken.mediaType, taken.bytes);
    const packed = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
    if (packed) response.setHeader('Content-Encoding', 'gzip');
    send(response, JSON_TYPE, packed ? taken.bytes : gunzipSync(taken.bytes));
  }
}

function head(response: ServerResponse, asked: PprofRequest): void {
  const type = pprofMediaType(asked);
  if (type !== TEXT_TYPE) response.setHeader('Content-Disposition', attachment(asked));
  response.writeHead(200, { 'Content-Type': type, 'X-Content-Type-Options': 'nosniff' }).end();
}

function attachment(asked: PprofRequest): string {
  return `attachment; filename="${pprofFileName(asked)}"`;
}

function send(response: ServerResponse, type: string, body: Uint8Array, status = 200): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': body.length,
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-store',
  });
  response.end(body);
}

/** As `go tool pprof` shows it to its user. */
function fault(response: ServerResponse, status: number, text: string): void {
  response.setHeader('X-Go-Pprof', '1');
  send(response, TEXT, Buffer.from(`${text}\n`), status);
}
