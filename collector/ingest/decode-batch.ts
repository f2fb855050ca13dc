/**
 * BATCH and DICTIONARY: from decoded tuples to own types. Everything is checked before anything is kept: ranges, ids,
 * that columns and buckets decode. Only the epoch's tables have grown when a later part of a batch is refused; whoever
 * catches the error gives the epoch up. A number that is none (NaN, infinite) in a value or a status costs that value
 * alone: it is left out and counted as a loss.
 */

import type { CoreTables, MergedHistogram } from '../../agent/core';
import { WIRE_LIMITS } from '../../agent/wire/limits';
import {
  EVENT_GC,
  EVENT_HTTP,
  EVENT_NOTE,
  HTTP_ROUTE_SHIFT,
  LOSS_REASONS,
  type LossReason,
} from '../../agent/wire/schema';
import { SeriesKind } from '../../assembly/layout';
import { StackTable } from '../profile/stack-table';
import type {
  Batch,
  InstanceStatus,
  Loss,
  RuntimeEvent,
  SampleWindow,
  Series,
  SeriesValue,
} from '../store/batch';
import { checkId, decodeDictionary } from './dictionary';
import { EPOCH_SERIES, type Epoch } from './epoch';
import { Fields, isNoNumber, type OnRefused } from './fields';
import { WireError } from './wire-error';

const U32_MAX = 2 ** 32 - 1;
/** The numbers of a value after its series id. */
const HISTOGRAM_FIELDS = ['count', 'sum', 'min', 'max'];
const PLAIN_FIELDS = ['value'];
const LOSS_VALUE: LossReason = 'value-refused';

export type BatchHead = { epoch: number; sequence: number };

/** The name of a batch, enough to drop a duplicate without reading on. */
export function decodeBatchHead(message: readonly unknown[]): BatchHead {
  const fields = new Fields(message, 'batch', 12, 1);
  return { epoch: fields.integer('epoch', U32_MAX), sequence: fields.integer('sequence') };
}

/** Decodes batches. One decoder is reused; `tables` are private to it. */
export class BatchDecoder {
  #tables: CoreTables;
  #scratch: MergedHistogram;
  #onRefused: OnRefused;

  /** onRefused: told of each number that was left out. */
  constructor(tables: CoreTables, onRefused: OnRefused = () => {}) {
    this.#tables = tables;
    this.#scratch = tables.histogram();
    this.#onRefused = onRefused;
  }

  /** Adds a DICTIONARY message to its epoch. One that contradicts what is known begins the epoch's table anew. */
  dictionary(message: readonly unknown[], epoch: Epoch): void {
    const fields = new Fields(message, 'dictionary message', 4, 2);
    const tuple = fields.raw();
    const series = fields.list('series', EPOCH_SERIES);
    try {
      epoch.stacks.grow(decodeDictionary(tuple, epoch.stacks));
    } catch (error) {
      if (!(error instanceof WireError) || error.code !== 'ERR_WIRE_DICTIONARY') throw error;
      const fresh = new StackTable();
      fresh.grow(decodeDictionary(tuple, fresh));
      epoch.stacks = fresh;
    }
    for (const entry of series) addSeries(entry, epoch);
  }

  /** Throws a WireError. */
  batch(message: readonly unknown[], agentId: string, epoch: Epoch, byteSize: number): Batch {
    const fields = new Fields(message, 'batch', 12, 1);
    const name = { epoch: fields.integer('epoch', U32_MAX), sequence: fields.integer('sequence') };
    const startMicros = fields.number('start');
    const endMicros = fields.number('end', startMicros);
    const dictionary = fields.raw();
    if (dictionary !== null) epoch.stacks.grow(decodeDictionary(dictionary, epoch.stacks));
    const { stacks } = epoch;
    const windows = fields
      .list('windows', WIRE_LIMITS.windowsPerBatch)
      .map((tuple) => this.#window(tuple, stacks));
    for (const tuple of fields.list('series', WIRE_LIMITS.seriesPerBatch)) addSeries(tuple, epoch);
    let refused = 0;
    const refuse = (field: string) => {
      refused++;
      this.#onRefused(field);
    };
    const values = fields
      .list('values', WIRE_LIMITS.valuesPerBatch)
      .flatMap((tuple) => this.#value(tuple, epoch, refuse) ?? []);
    const events = fields
      .list('events', WIRE_LIMITS.eventsPerBatch)
      .map((tuple) => decodeEvent(tuple, stacks));
    const losses = fields.list('losses', WIRE_LIMITS.lossesPerBatch).map(decodeLoss);
    const status = decodeStatus(fields.raw(), refuse);
    if (refused > 0) losses.push({ reason: LOSS_VALUE, count: refused, firstMicros: startMicros });
    return {
      agentId,
      ...name,
      startMicros,
      endMicros,
      stacks,
      windows,
      values,
      events,
      losses,
      status,
      byteSize,
    };
  }

  #window(tuple: unknown, stacks: StackTable): SampleWindow {
    const fields = new Fields(tuple, 'window', 11);
    const threadId = fields.integer('thread id', U32_MAX);
    const startMicros = fields.number('start');
    const window: SampleWindow = {
      threadId,
      startMicros,
      endMicros: fields.number('end', startMicros),
      ticks: fields.integer('ticks', U32_MAX),
      periodNanos: fields.number('period'),
      jsTicks: fields.integer('JavaScript ticks', U32_MAX),
      repairedTicks: fields.integer('repaired ticks', U32_MAX),
      unnamedTicks: fields.integer('unnamed ticks', U32_MAX),
      lostTicks: fields.integer('lost ticks', U32_MAX),
      sampleCount: fields.integer('sample count', WIRE_LIMITS.samplesPerWindow),
      columns: fields.bytes('columns'),
    };
    this.#checkColumns(window, stacks);
    return window;
  }

  #checkColumns(window: SampleWindow, stacks: StackTable): void {
    let samples: ReturnType<CoreTables['decodeColumns']>;
    try {
      samples = this.#tables.decodeColumns(window.columns, window.sampleCount, window.startMicros);
    } catch (error) {
      throw new WireError('ERR_WIRE_COLUMNS', `columns of a window: ${(error as Error).message}`);
    }
    checkId('stack', highest(samples.stack), stacks.lastStack);
    checkId('label', highest(samples.label), stacks.lastString);
  }

  /** null where one of its numbers is none. */
  #value(tuple: unknown, epoch: Epoch, refuse: OnRefused): SeriesValue | null {
    const short = Array.isArray(tuple) && tuple.length === 2;
    const fields = new Fields(tuple, 'value', short ? 2 : 6);
    const id = fields.integer('series id', U32_MAX);
    const series = epoch.series.get(id);
    if (series === undefined)
      throw new WireError('ERR_WIRE_DICTIONARY', `series ${id} of a value was never told`);
    const numbers = short ? PLAIN_FIELDS : HISTOGRAM_FIELDS;
    const bad = numbers.find((_name, index) => isNoNumber((tuple as unknown[])[index + 1]));
    if (bad !== undefined) {
      refuse(`value ${bad}`);
      return null;
    }
    if (short) {
      const sum = fields.number('value', Number.NEGATIVE_INFINITY);
      return { series, count: 1, sum, min: sum, max: sum, buckets: null };
    }
    const count = fields.integer('count');
    const [sum, min, max] = [fields.number('sum'), fields.number('min'), fields.number('max')];
    const buckets = fields.bytes('buckets');
    try {
      this.#scratch.addDelta({ count, sum, min, max, buckets });
      this.#scratch.clear();
    } catch (error) {
      throw new WireError('ERR_WIRE_BUCKETS', `buckets of a value: ${(error as Error).message}`);
    }
    if (series.kind !== SeriesKind.Histogram) {
      throw new WireError('ERR_WIRE_MESSAGE', `value: series ${series.name} is not a histogram`);
    }
    return { series, count, sum, min, max, buckets };
  }
}

function highest(ids: Uint32Array): number {
  let most = 0;
  for (let index = 0; index < ids.length; index++) if (ids[index]! > most) most = ids[index]!;
  return most;
}

function addSeries(tuple: unknown, epoch: Epoch): void {
  const fields = new Fields(tuple, 'series', 6);
  const id = fields.integer('id', U32_MAX);
  const series: Series = {
    threadId: fields.integer('thread id', U32_MAX),
    kind: fields.integer('kind', SeriesKind.Gauge, SeriesKind.Histogram),
    name: fields.text('name'),
    unit: fields.text('unit'),
    labels: fields.labels('labels'),
  };
  if (epoch.series.size >= EPOCH_SERIES && !epoch.series.has(id)) {
    throw new WireError('ERR_WIRE_LIMIT', `more than ${EPOCH_SERIES} series in an epoch`);
  }
  epoch.series.set(id, series);
}

function decodeEvent(tuple: unknown, stacks: StackTable): RuntimeEvent {
  const fields = new Fields(tuple, 'event', 7);
  const event: RuntimeEvent = {
    kind: fields.integer('kind', EVENT_NOTE, EVENT_GC),
    threadId: fields.integer('thread id', U32_MAX),
    startMicros: fields.number('start'),
    durationMicros: fields.number('duration'),
    a: fields.integer('a', U32_MAX),
    b: fields.integer('b', U32_MAX),
    stack: checkId('stack of an event', fields.integer('stack', U32_MAX), stacks.lastStack),
  };
  if (event.kind === EVENT_NOTE) checkId('sentence of a note', event.a, stacks.lastString);
  if (event.kind === EVENT_HTTP)
    checkId('route of a request', event.b >>> HTTP_ROUTE_SHIFT, stacks.lastString);
  return event;
}

function decodeLoss(tuple: unknown): Loss {
  const fields = new Fields(tuple, 'loss', 3);
  return {
    reason: fields.oneOf('reason', LOSS_REASONS),
    count: fields.integer('count'),
    firstMicros: fields.number('first'),
  };
}

function decodeStatus(tuple: unknown, refuse: OnRefused): InstanceStatus | null {
  if (tuple === null) return null;
  const fields = new Fields(tuple, 'status', 22, 0, refuse);
  return {
    wallMillis: fields.known('wall'),
    rssBytes: fields.number('rss'),
    heapUsedBytes: fields.number('heap used'),
    heapTotalBytes: fields.number('heap total'),
    heapLimitBytes: fields.number('heap limit'),
    externalBytes: fields.number('external'),
    loopIdleMicros: fields.number('loop idle'),
    loopActiveMicros: fields.number('loop active'),
    mainCpuMicros: fields.known('main CPU'),
    processCpuMicros: fields.known('process CPU'),
    agentCpuMicros: fields.known('agent CPU'),
    samplerCpuMicros: fields.known('sampler CPU'),
    rotations: fields.integer('rotations'),
    rotationPauseMicros: fields.number('rotation pause'),
    hostSelfMicros: fields.number('host self'),
    sentBytes: fields.number('sent bytes'),
    agentMemoryBytes: fields.number('agent memory'),
    rateHz: fields.number('rate'),
    windowMillis: fields.number('window'),
    sampler: fields.text('sampler'),
    hang: fields.integer('hang', 255),
    hangSinceMicros: fields.number('hang since'),
  };
}
