/** The forms of an answer. Headers are those of Go's net/http/pprof where its clients look at them. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import {
  PPROF_TYPE,
  type PprofRequest,
  pprofFileName,
  pprofMediaType,
  TEXT_TYPE,
} from '../profile/pprof-request';

const PLAIN = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json';
const unpack = promisify(gunzip);
const HTML = 'text/html; charset=utf-8';
/** Pages have no script and load nothing. */
const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

export function sendText(response: ServerResponse, status: number, text: string, type = PLAIN): void {
  send(response, status, type, Buffer.from(text, 'utf8'));
}

export function sendPage(response: ServerResponse, html: string): void {
  response.setHeader('Content-Security-Policy', PAGE_POLICY);
  send(response, 200, HTML, Buffer.from(html, 'utf8'));
}

export function sendRedirect(response: ServerResponse, path: string): void {
  response.setHeader('Location', path);
  sendText(response, 301, `moved to ${path}\n`);
}

/** Bytes to be saved under a name. */
export function sendFile(response: ServerResponse, name: string, body: Uint8Array): void {
  response.setHeader('Content-Disposition', attachment(name));
  send(response, 200, PPROF_TYPE, body);
}

/** What HEAD is answered: nothing is made for it. */
export function sendPprofHead(response: ServerResponse, asked: PprofRequest): void {
  const type = pprofMediaType(asked);
  if (type !== TEXT_TYPE) response.setHeader('Content-Disposition', attachment(pprofFileName(asked)));
  response.writeHead(200, { 'Content-Type': type, 'X-Content-Type-Options': 'nosniff' });
  response.end();
}

/** Gzipped JSON to be saved under a name, unpacked for those who do not say that they can. */
export async function sendTrace(
  request: IncomingMessage,
  response: ServerResponse,
  name: string,
  gzipped: Uint8Array,
): Promise<void> {
  const packed = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
  response.setHeader('Content-Disposition', `attachment; filename="${name}"`);
  if (packed) response.setHeader('Content-Encoding', 'gzip');
  send(response, 200, JSON_TYPE, packed ? Buffer.from(gzipped) : await unpack(gzipped));
}

function attachment(name: string): string {
  return `attachment; filename="${name}"`;
}

/** A fault as `go tool pprof` shows it to its user: X-Go-Pprof says that the body is a message. */
export function sendPprofFault(response: ServerResponse, status: number, text: string): void {
  response.setHeader('X-Go-Pprof', '1');
  sendText(response, status, `${text}\n`);
}

function send(response: ServerResponse, status: number, type: string, body: Uint8Array): void {
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Cache-Control', 'no-store');
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': body.length });
  response.end(body);
}
