/**
 * An agent without a program: speaks the wire over a real WebSocket, with stacks given as folded text. It says exactly
 * what a test tells it to, or (run) plays a program whose stacks have fixed shares, on the clock of this process.
 */
import { randomBytes } from 'node:crypto';
import WebSocket from 'ws';
import { Dictionary } from '../../agent/aggregator/dictionary';
import { type CoreTables, createTables } from '../../agent/core';
import { decodeCollectorMessage, encodeMessage } from '../../agent/wire/encode';
import { proofOf } from '../../agent/wire/proof';
import {
  type AgentMessage,
  type BatchMessage,
  type CollectorMessage,
  type ControlMessage,
  type DictionaryTuple,
  type EventTuple,
  type IdentityTuple,
  LABEL_STATUS_CLASS,
  SERIES_GC_PAUSE,
  SERIES_HTTP_SERVER,
  SERIES_LOOP_DELAY,
  type SeriesTuple,
  type StatusTuple,
  type ValueTuple,
  WIRE_VERSION,
  type WindowTuple,
} from '../../agent/wire/schema';
import { SeriesKind } from '../../assembly/layout';

export const PERIOD_MICROS = 10_101;

export const nowMicros = () => Number(process.hrtime.bigint() / 1000n);

/** state: SampleState. stack: folded, root first; `name@file:functionLine:line` gives a frame its place. */
export type Tick = { atMicros: number; stack: string; state: number };

export type ProgramShare = { stack: string; state: number; share: number };

export class SyntheticAgent {
  readonly agentId = randomBytes(16);
  readonly tables: CoreTables = createTables();
  readonly received: CollectorMessage[] = [];
  readonly controls: ControlMessage[] = [];
  epoch = 1;
  sequence = 0;
  /** What the last welcome said to be committed. */
  lastCommitted = -1;
  closed: { code: number; reason: string } | null = null;
  /** Capture and watch are answered by themselves. */
  replies = true;
  /** What collect gives, by name. */
  readonly collected = new Map<string, { mediaType: string; bytes: Uint8Array }>();
  identity: IdentityTuple;
  #token: string;
  #url: string;
  #socket: WebSocket | null = null;
  #waiting: (() => void)[] = [];
  #dictionary = new Dictionary(this.tables);
  #windowStartMicros = 0;
  #batchStartMicros = nowMicros();
  #timer: NodeJS.Timeout | null = null;

  constructor(
    address: { host: string; port: number },
    token: string,
    service = 'shop',
    instance = `${service}:1`,
  ) {
    this.#url = `ws://${address.host}:${address.port}/v1/agent`;
    this.#token = token;
    this.identity = [
      service,
      instance,
      'host-a',
      4711,
      'v20.20.0',
      '0.1.0',
      ['zone', 'a'],
      Date.now(),
      nowMicros(),
      Date.now() - 5000,
      PERIOD_MICROS,
      this.tables.kind,
      ['node', '20.20.0', 'CPUs', '8', 'CPU quota', '1.5'],
    ];
  }

  /** Connects and proves the token; resolves with the welcome or rejects with the collector's error. */
  async connect(headers: Record<string, string> = {}): Promise<void> {
    const socket = new WebSocket(this.#url, { perMessageDeflate: false, headers });
    this.#socket = socket;
    this.closed = null;
    // A connection that was left behind may still be told things.
    socket.on('message', (data) => this.#socket === socket && this.#receive(data as Buffer));
    socket.on('close', (code, reason) => {
      if (this.#socket !== socket) return;
      this.closed = { code, reason: reason.toString() };
      this.#wake();
    });
    socket.on('error', () => this.#wake());
    const challenge = await this.next(1);
    const nonce = randomBytes(16);
    const proof = proofOf(this.#token, 'agent', challenge[2] as Uint8Array, nonce);
    this.send([2, WIRE_VERSION, this.agentId, this.epoch, nonce, proof, this.identity]);
    this.lastCommitted = (await this.next(3))[3] as number;
  }

  send(message: AgentMessage): void {
    this.sendBytes(encodeMessage(message));
  }

  sendBytes(bytes: Uint8Array): void {
    this.#socket!.send(bytes);
  }

  /** The next received message with the tag; messages before it are taken too. Rejects with an error message's code. */
  async next(tag: number, withinMillis = 5000): Promise<CollectorMessage> {
    const deadline = Date.now() + withinMillis;
    for (;;) {
      while (this.received.length > 0) {
        const message = this.received.shift()!;
        if (message[0] === tag) return message;
        if (message[0] === 9) throw new Error(`${message[1]}: ${message[2]}`);
      }
      if (this.closed !== null) throw new Error(`closed ${this.closed.code} ${this.closed.reason}`);
      if (Date.now() > deadline) throw new Error(`no message with tag ${tag} within ${withinMillis} ms`);
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        setTimeout(resolve, 50);
      });
    }
  }

  /** A window tuple of thread 0. */
  window(
    ticks: readonly Tick[],
    startMicros: number,
    endMicros: number,
    more: { repaired?: number; unnamed?: number; lost?: number } = {},
  ): WindowTuple {
    const periodNanos = PERIOD_MICROS * 1000;
    const jsTicks = ticks.filter(({ state }) => state === 0).length;
    const { repaired = 0, unnamed = 0, lost = 0 } = more;
    const columns = this.tables.encodeColumns(startMicros, {
      atMicros: ticks.map(({ atMicros }) => atMicros),
      stack: ticks.map(({ stack }) => this.stack(stack)),
      state: ticks.map(({ state }) => state),
    });
    return [
      0,
      startMicros,
      endMicros,
      ticks.length,
      periodNanos,
      jsTicks,
      repaired,
      unnamed,
      lost,
      ticks.length,
      columns,
    ];
  }

  /** A stack id; '' is the empty stack. */
  stack(folded: string): number {
    let id = 0;
    for (const frame of folded === '' ? [] : folded.split(';')) {
      const [, name = frame, file = '', functionLine = 0, line = 0] =
        /^(.*)@(.*):(\d+):(\d+)$/.exec(frame) ?? [];
      const at = Number(functionLine);
      id = this.#dictionary.stack(
        id,
        this.#dictionary.function(name, file, at, at > 0 ? 1 : 0),
        Number(line),
      );
    }
    return id;
  }

  string(text: string): number {
    return this.#dictionary.idOf(text);
  }

  /** All that was interned so far. */
  dictionary(): DictionaryTuple {
    this.#dictionary.takeNew();
    return this.#dictionary.taken();
  }

  batch(
    parts: {
      windows?: WindowTuple[];
      series?: SeriesTuple[];
      values?: ValueTuple[];
      events?: EventTuple[];
      losses?: BatchMessage[10];
      status?: StatusTuple | null;
      startMicros?: number;
      endMicros?: number;
    } = {},
  ): BatchMessage {
    const { windows = [], series = [], values = [], events = [], losses = [], status = null } = parts;
    const endMicros = parts.endMicros ?? nowMicros();
    const startMicros = parts.startMicros ?? Math.min(this.#batchStartMicros, endMicros);
    this.#batchStartMicros = endMicros;
    const dictionary = this.#dictionary.takeNew();
    return [
      7,
      this.epoch,
      this.sequence++,
      startMicros,
      endMicros,
      dictionary,
      windows,
      series,
      values,
      events,
      losses,
      status,
    ];
  }

  /** Sends a batch and waits for its acknowledgement. */
  async commit(parts: Parameters<SyntheticAgent['batch']>[0] = {}): Promise<number> {
    this.send(this.batch(parts));
    return (await this.next(5))[1] as number;
  }

  /** Series 1, 2, 3: loop delay, GC pauses, requests. */
  timedSeries(): SeriesTuple[] {
    const classes = ['2xx', '5xx', 'aborted'].map((way) => [LABEL_STATUS_CLASS, way]);
    return [SERIES_LOOP_DELAY, SERIES_GC_PAUSE, ...classes.map(() => SERIES_HTTP_SERVER)].map(
      (name, index) => [index + 1, 0, SeriesKind.Histogram, name, 'us', classes[index - 2] ?? []],
    );
  }

  /** Values of a histogram series, µs. */
  value(id: number, micros: readonly number[]): ValueTuple {
    const histogram = this.tables.histogram();
    for (const value of micros) histogram.record(value);
    const { count, sum, min, max, buckets } = histogram.encode();
    return [id, count, sum, min, max, buckets];
  }

  status(
    more: {
      mainCpuMicros?: number;
      agentCpuMicros?: number;
      sampler?: string;
      hang?: number;
      hangSinceMicros?: number;
    } = {},
  ): StatusTuple {
    const {
      mainCpuMicros = 500_000,
      agentCpuMicros = 2000,
      sampler = 'on',
      hang = 0,
      hangSinceMicros = 0,
    } = more;
    return [
      Date.now(),
      80e6,
      20e6,
      30e6,
      2e9,
      1e6,
      500_000,
      500_000,
      mainCpuMicros,
      mainCpuMicros + 3000,
      agentCpuMicros,
      1000,
      1,
      800,
      50,
      2000,
      7e6,
      99,
      1000,
      sampler,
      hang,
      hangSinceMicros,
    ];
  }

  /** Plays a program, whose CPU is that of its samples: every `everyMillis` a window and a batch with samples of the shares, evenly mixed. */
  run(shares: readonly ProgramShare[], everyMillis = 200, nativeShare = 0): void {
    this.#windowStartMicros = nowMicros();
    this.#batchStartMicros = this.#windowStartMicros;
    this.#timer = setInterval(() => this.cut(shares, nativeShare), everyMillis);
  }

  /** nativeShare: of the time, CPU that the clock knows of and that no sample shows. */
  cut(shares: readonly ProgramShare[], nativeShare = 0): void {
    const start = this.#windowStartMicros;
    const end = nowMicros();
    this.#windowStartMicros = end;
    const ticks: Tick[] = [];
    for (let at = Math.ceil(start / PERIOD_MICROS) * PERIOD_MICROS; at < end; at += PERIOD_MICROS) {
      const { stack, state } = shareAt(shares, Math.round(at / PERIOD_MICROS));
      ticks.push({ atMicros: at, stack, state });
    }
    const mainCpuMicros =
      ticks.filter(({ state }) => state < 3).length * PERIOD_MICROS + nativeShare * (end - start);
    const windows = [this.window(ticks, start, end)];
    this.send(this.batch({ windows, endMicros: end, status: this.status({ mainCpuMicros }) }));
  }

  stopRunning(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  async close(goodbye = true): Promise<void> {
    this.stopRunning();
    const socket = this.#socket;
    if (socket === null || socket.readyState === WebSocket.CLOSED) return;
    const closed = new Promise((resolve) => socket.once('close', resolve));
    if (goodbye) {
      this.send([10, this.epoch, this.sequence - 1, 'exit']);
      socket.close(1000);
    } else {
      socket.terminate();
    }
    await closed;
  }

  #receive(bytes: Buffer): void {
    const message = decodeCollectorMessage(bytes);
    if (message === null) throw new Error(`collector sent ${bytes.toString('hex')}`);
    if (message[0] === 6) {
      this.controls.push(message);
      if (this.replies && message[2] === 'collect') this.#collected(message[1], message[4]);
      else if (this.replies) this.send([8, message[1], 0, nowMicros(), '']);
    } else {
      this.received.push(message);
    }
    this.#wake();
  }

  /** What it has under that address, as a whole or in two parts. */
  #collected(requestId: number, address: string): void {
    const found = this.collected.get(address.split('?', 1)[0]!);
    if (found === undefined) return this.send([8, requestId, 404, nowMicros(), `no ${address}`]);
    const half = found.bytes.length >> 1;
    this.send([11, requestId, found.bytes.subarray(0, half)]);
    this.send([11, requestId, found.bytes.subarray(half)]);
    this.send([8, requestId, 0, nowMicros(), found.mediaType]);
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Which share the n-th tick falls to: spread so that any hundred ticks in a row hold every share exactly. */
function shareAt(shares: readonly ProgramShare[], tick: number): ProgramShare {
  let place = ((tick * 61) % 100) / 100;
  for (const entry of shares) {
    if (place < entry.share) return entry;
    place -= entry.share;
  }
  return shares.at(-1)!;
}

export function varints(values: readonly number[]): Uint8Array {
  const bytes: number[] = [];
  for (let value of values) {
    for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
    bytes.push(value);
  }
  return Uint8Array.from(bytes);
}
