/**
 * A Node process of this machine that was started by somebody else, reached by its own inspector: SIGUSR1 opens it, where
 * it is not open already, and it is closed again. On Linux the port is read from the process' sockets and a process that
 * would die of the signal is left alone; elsewhere the usual port is asked.
 */
import { WebSocket } from 'ws';
import { printable } from '../../profile/printable';
import { CliError } from '../cli-error';
import { checkProcess, listeningPorts } from './process-facts';

const USUAL_PORT = 9229;
const OPENS_WITHIN_MILLIS = 5000;
const CLOSES_WITHIN_MILLIS = 2000;
const POLL_MILLIS = 50;
const ANSWERS_WITHIN_MILLIS = 10_000;
const LIST_MILLIS = 1000;
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
  /** We have opened its inspector, so it is ours to close. */
  isOpenedByUs = false;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  readonly #urls = new Map<string, string>();
  #nextId = 1;
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
  }

  /** Throws a CliError: no such process, no Node, not ours to reach. */
  static async open(pid: number): Promise<InspectedProcess> {
    checkProcess(pid);
    const before = listeningPorts(pid);
    const open = before?.includes(USUAL_PORT) === false ? null : await InspectedProcess.#at(USUAL_PORT, pid);
    if (open !== null) return open;
    process.kill(pid, 'SIGUSR1');
    const until = performance.now() + OPENS_WITHIN_MILLIS;
    while (performance.now() < until) {
      for (const port of listeningPorts(pid)?.filter((one) => !before?.includes(one)) ?? [USUAL_PORT]) {
        const opened = await InspectedProcess.#at(port, pid);
        if (opened === null) continue;
        opened.isOpenedByUs = true;
        return opened;
      }
      await new Promise((done) => setTimeout(done, POLL_MILLIS));
    }
    throw new CliError(
      'ERR_CLI_ATTACH',
      `process ${pid} did not open its inspector within ${OPENS_WITHIN_MILLIS / 1000} s of SIGUSR1`,
      `it handles the signal itself, hangs in native code, runs without an inspector, or port ${USUAL_PORT} is taken (its own stderr says so)`,
    );
  }

  /** null where there is no inspector, or it is another process'. */
  static async #at(port: number, pid: number): Promise<InspectedProcess | null> {
    const socket = await socketOf(port);
    if (socket === null) return null;
    const inspected = new InspectedProcess(pid, port, socket);
    // Where the system tells whose port it is, it need not be asked.
    if (listeningPorts(pid) !== null || (await inspected.evaluate('process.pid')) === pid) return inspected;
    await inspected.close();
    return null;
  }

  /** Whether its event loop turns within so long. */
  async turns(withinMillis: number): Promise<boolean> {
    const turn = `new Promise((done) => process.getBuiltinModule('node:timers').setImmediate(done, true))`;
    const reply = await this.#ask(turn, true, withinMillis);
    return reply !== null;
  }

  /** The value of an expression; of a promise only where it is awaited, which a loop that hangs never does. Throws a CliError with what it threw, or when nothing answers. */
  async evaluate(expression: string, awaitPromise = false): Promise<unknown> {
    const reply = await this.#ask(expression, awaitPromise, ANSWERS_WITHIN_MILLIS);
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
    await this.#command('Debugger.enable');
    const paused = new Promise<CallFrame[]>((resolve) => {
      this.#onPaused = resolve;
      setTimeout(resolve, PAUSES_WITHIN_MILLIS, []);
    });
    await this.#command('Debugger.pause');
    const frames = await paused;
    await this.#command('Debugger.resume');
    await this.#command('Debugger.disable');
    return frames.map((frame) => frameText(frame, this.#urls.get(frame.location.scriptId) ?? ''));
  }

  /** null where nothing answered in time. */
  #ask(expression: string, awaitPromise: boolean, withinMillis: number): Promise<Reply | null> {
    return this.#command('Runtime.evaluate', { expression, awaitPromise, returnByValue: true }, withinMillis);
  }

  async #command(
    method: string,
    params: object = {},
    withinMillis = ANSWERS_WITHIN_MILLIS,
  ): Promise<Reply | null> {
    const id = this.#nextId++;
    const reply = await new Promise<Reply | null>((resolve) => {
      const late = setTimeout(resolve, withinMillis, null);
      this.#waiting.set(id, (answer) => {
        clearTimeout(late);
        resolve(answer);
      });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
    this.#waiting.delete(id);
    return reply;
  }

  /** Ends our connection, and waits a moment until the inspector is closed where it was told to: while it is open, a signal opens none. */
  async close(): Promise<void> {
    this.#socket.close();
    const until = performance.now() + CLOSES_WITHIN_MILLIS;
    while (this.isOpenedByUs && performance.now() < until) {
      if (listeningPorts(this.pid)?.includes(this.port) === false) return;
      await new Promise((done) => setTimeout(done, POLL_MILLIS));
    }
  }
}

/** A connection to the inspector on a port of the loopback; null where there is none. */
async function socketOf(port: number): Promise<WebSocket | null> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/json/list`, {
      signal: AbortSignal.timeout(LIST_MILLIS),
      headers: { connection: 'close' },
    });
    const [target] = (await response.json()) as { webSocketDebuggerUrl?: string }[];
    const url = target?.webSocketDebuggerUrl;
    if (url === undefined) return null;
    const socket = new WebSocket(url, { perMessageDeflate: false });
    await new Promise((open, failed) => socket.once('open', open).once('error', failed));
    return socket;
  } catch {
    return null;
  }
}

function frameText({ functionName, location }: CallFrame, url: string): string {
  const place = url === '' ? '' : ` ${url.replace(/^file:\/\//, '')}:${location.lineNumber + 1}`;
  return printable(`${functionName || '(anonymous)'}${place}`);
}
