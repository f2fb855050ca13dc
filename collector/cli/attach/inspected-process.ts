/**
 * A Node process of this machine that was started by somebody else, reached by its own inspector: SIGUSR1 opens it, where
 * it is not open already, and it is closed again. On Linux the port is read from the process' sockets and a process that
 * would die of the signal is left alone; elsewhere the usual port is asked.
 */
import { get } from 'node:http';
import { WebSocket } from 'ws';
import { printable } from '../../profile/printable';
import { CliError } from '../cli-error';
import { ConnectionFile, ENDS_NOW, type Kept, keepText } from './connection-keeper';
import { checkProcess, isToldToInspect, listeningPorts, mainThreadFigures } from './process-facts';
import { whyNotOpen } from './why-not-open';

const USUAL_PORT = 9229;
const OPENS_WITHIN_MILLIS = 5000;
const CLOSES_WITHIN_MILLIS = 2000;
const POLL_MILLIS = 50;
/** So often in a row: it may open again for a moment (connection-keeper.ts), and only then is what was to start begun. */
const CLOSED_LOOKS = 5;
const ANSWERS_WITHIN_MILLIS = 10_000;
const LIST_MILLIS = 1000;
const LIST_BYTES_MAX = 64 * 1024;
const PAUSES_WITHIN_MILLIS = 2000;

/** Of the protocol's Debugger.CallFrame. */
type CallFrame = { functionName: string; location: { scriptId: string; lineNumber: number } };

type Reply = {
  id?: number;
  method?: string;
  params?: { callFrames?: CallFrame[]; scriptId?: string; url?: string };
  result?: {
    result?: { value?: unknown };
    exceptionDetails?: { exception?: { description?: string } };
  };
  error?: { message: string };
};

/** What its main thread answers to expressions until close(). */
export class InspectedProcess {
  /** A connection of ours has opened its inspector, so it is ours to close. */
  isOpenedByUs = false;
  /** An older connection of ours was about to start an agent, and does not any more. */
  hasReplaced = false;
  /** When the connection is gone, whoever ended it. */
  readonly ended: Promise<void>;
  readonly #file = new ConnectionFile();
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  readonly #urls = new Map<string, string>();
  #nextId = 1;
  #hasEnded = false;
  #closing: Promise<boolean> | null = null;
  #onPaused: (frames: CallFrame[]) => void = () => {};

  private constructor(
    readonly pid: number,
    readonly port: number,
    socket: WebSocket,
  ) {
    this.#socket = socket;
    socket.on('message', (data) => {
      const reply = JSON.parse(String(data)) as Reply;
      const { callFrames = [], scriptId = '', url = '' } = reply.params ?? {};
      if (reply.method === 'Debugger.scriptParsed') this.#urls.set(scriptId, url);
      else if (reply.method === 'Debugger.paused') this.#onPaused(callFrames);
      this.#waiting.get(reply.id ?? 0)?.(reply);
    });
    socket.on('error', () => {});
    this.ended = new Promise((done) =>
      socket.once('close', () => {
        this.#hasEnded = true;
        for (const answer of this.#waiting.values())
          answer({ error: { message: 'it ended, or closed its inspector' } });
        done();
      }),
    );
  }

  /** Throws a CliError: no such process, no Node, not ours to reach. */
  static async open(pid: number): Promise<InspectedProcess> {
    checkProcess(pid);
    const before = listeningPorts(pid);
    const usual = before?.includes(USUAL_PORT) === false ? [] : [USUAL_PORT];
    for (const port of new Set([...usual, ...(isToldToInspect(pid) ? (before ?? []) : [])])) {
      const open = await InspectedProcess.#at(port, pid);
      if (open === null) continue;
      await open.#keep();
      return open;
    }
    process.kill(pid, 'SIGUSR1');
    await new Promise((done) => setTimeout(done, POLL_MILLIS));
    const figures = mainThreadFigures(pid);
    const from = performance.now();
    const until = from + OPENS_WITHIN_MILLIS;
    while (performance.now() < until) {
      for (const port of listeningPorts(pid)?.filter((one) => !before?.includes(one)) ?? [USUAL_PORT]) {
        const opened = await InspectedProcess.#at(port, pid);
        if (opened === null) continue;
        opened.isOpenedByUs = true;
        await opened.#keep();
        return opened;
      }
      await new Promise((done) => setTimeout(done, POLL_MILLIS));
    }
    throw new CliError(
      'ERR_CLI_ATTACH',
      `process ${pid} did not open its inspector within ${OPENS_WITHIN_MILLIS / 1000} s of SIGUSR1`,
      whyNotOpen(pid, USUAL_PORT, figures, (performance.now() - from) / 1000),
    );
  }

  /** null where there is no inspector, or it is another process'. */
  static async #at(port: number, pid: number): Promise<InspectedProcess | null> {
    const socket = await socketOf(port);
    if (socket === null) return null;
    const inspected = new InspectedProcess(pid, port, socket);
    // Where the system tells whose port it is, it need not be asked.
    if (listeningPorts(pid) !== null || (await inspected.evaluate('process.pid')) === pid) return inspected;
    await inspected.#disconnect();
    return null;
  }

  /** Tells the process of this connection. */
  async #keep(): Promise<void> {
    try {
      const { isOurs, replaced } = (await this.evaluate(keepText(this.#file, this.isOpenedByUs))) as Kept;
      this.isOpenedByUs = isOurs;
      this.hasReplaced = replaced;
    } catch (error) {
      await this.#disconnect();
      throw error;
    }
  }

  /** When its event loop has turned, however long that takes. Throws a CliError where it never will. */
  async turned(): Promise<void> {
    const turn = `new Promise((done) => process.getBuiltinModule('node:timers').setImmediate(done, true))`;
    await this.evaluate(turn, true, null);
  }

  /** The value of an expression; of a promise only where it is awaited, which a loop that hangs never does. Throws a CliError with what it threw, or when nothing answers in time (null: no limit). */
  async evaluate(
    expression: string,
    awaitPromise = false,
    withinMillis: number | null = ANSWERS_WITHIN_MILLIS,
  ): Promise<unknown> {
    const parameters = { expression, awaitPromise, returnByValue: true };
    const reply = await this.#command('Runtime.evaluate', parameters, withinMillis);
    const thrown =
      reply === null
        ? `nothing within ${ANSWERS_WITHIN_MILLIS / 1000} s: it hangs`
        : (reply.error?.message ?? reply.result?.exceptionDetails?.exception?.description);
    if (thrown === undefined) return reply?.result?.result?.value;
    const [first = ''] = thrown.split('\n');
    throw new CliError('ERR_CLI_ATTACH', `process ${this.pid} answered: ${first}`, '');
  }

  /**
   * The stack that its main thread is in right now, leaf first, as lines for people; empty where it is in native code. It
   * stands still for that moment.
   */
  async stack(): Promise<string[]> {
    const paused = new Promise<CallFrame[]>((resolve) => {
      this.#onPaused = resolve;
      setTimeout(resolve, PAUSES_WITHIN_MILLIS, []);
    });
    // Sent without waiting for each answer: in native code none comes.
    void this.#command('Debugger.enable');
    void this.#command('Debugger.pause');
    const frames = await paused;
    void this.#command('Debugger.resume');
    await this.#command('Debugger.disable', {}, PAUSES_WITHIN_MILLIS);
    return frames.map((frame) => frameText(frame, this.#urls.get(frame.location.scriptId) ?? ''));
  }

  /** null where nothing answered in time. */
  async #command(
    method: string,
    params: object = {},
    withinMillis: number | null = ANSWERS_WITHIN_MILLIS,
  ): Promise<Reply | null> {
    const id = this.#nextId++;
    const reply = await new Promise<Reply | null>((resolve) => {
      const late = withinMillis === null ? undefined : setTimeout(resolve, withinMillis, null);
      late?.unref();
      const answer = (given: Reply) => {
        clearTimeout(late);
        resolve(given);
      };
      if (this.#hasEnded) return answer({ error: { message: 'it ended, or closed its inspector' } });
      this.#waiting.set(id, answer);
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
    this.#waiting.delete(id);
    return reply;
  }

  /**
   * Ends our connection; after that the process closes its inspector where it is ours, and starts what it was told to.
   * Whether that was seen within a moment: it is not while the process hangs, and never where the inspector stays open.
   */
  close(): Promise<boolean> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<boolean> {
    // No answer is waited for: a native hang gives none.
    void this.#command('Runtime.evaluate', { expression: ENDS_NOW }, CLOSES_WITHIN_MILLIS);
    await this.#disconnect();
    return this.isOpenedByUs && this.hasClosed(CLOSES_WITHIN_MILLIS);
  }

  /** Whether the inspector is closed within so long; where the system does not tell, it is believed to be then. */
  async hasClosed(withinMillis: number): Promise<boolean> {
    const until = performance.now() + withinMillis;
    let closedLooks = 0;
    do {
      closedLooks = listeningPorts(this.pid)?.includes(this.port) === false ? closedLooks + 1 : 0;
      if (closedLooks === CLOSED_LOOKS) return true;
      await new Promise((done) => setTimeout(done, POLL_MILLIS));
    } while (performance.now() < until);
    return listeningPorts(this.pid) === null;
  }

  /** The file goes after the connection has: the process waits for that. */
  async #disconnect(): Promise<void> {
    this.#socket.close();
    const late = setTimeout(() => this.#socket.terminate(), CLOSES_WITHIN_MILLIS);
    await this.ended;
    clearTimeout(late);
    this.#file.remove();
  }
}

/** A connection to the inspector on a port of the loopback; null where there is none. */
async function socketOf(port: number): Promise<WebSocket | null> {
  try {
    const [target] = JSON.parse(await listOf(port)) as { webSocketDebuggerUrl?: string }[];
    const url = target?.webSocketDebuggerUrl;
    if (url === undefined) return null;
    const socket = new WebSocket(url, { perMessageDeflate: false });
    await new Promise((open, failed) => socket.once('open', open).once('error', failed));
    return socket;
  } catch {
    return null;
  }
}

/** What an inspector tells of its targets; its connection has ended by then. */
function listOf(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(LIST_MILLIS);
    const request = get({ host: '127.0.0.1', port, path: '/json/list', agent: false, signal }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        if (text.length > LIST_BYTES_MAX) request.destroy();
      });
      response.on('end', () => request.destroy());
      request.on('close', () => resolve(text));
    });
    request.on('error', reject);
  });
}

function frameText({ functionName, location }: CallFrame, url: string): string {
  const place = url === '' ? '' : ` ${url.replace(/^file:\/\//, '')}:${location.lineNumber + 1}`;
  return printable(`${functionName || '(anonymous)'}${place}`);
}
