/**
 * The live view as rows of text: a function of the board, the size and the clock. It fills any size from 40 × 12 up:
 * every line of an instance has a rank, and where there is no room the lowest ranks go first.
 */

import { cutText, printable } from '../profile/printable';
import type { HangKind, TailSecond } from '../tail/schema';
import type { Board, BoardEntry } from './board';
import { bytesText, clockText, countText, errorsText, millisText, percentText } from './figures';
import { paintRow, type Row, segment } from './paint';
import {
  gcShareText,
  hotName,
  LAST_BEFORE,
  NO_NATIVE_STACK,
  pauseTexts,
  requestName,
  shortFrame,
  slowestText,
  slowestWithinText,
  stackText,
} from './plain';

export type ViewSize = { columns: number; rows: number };
export type ViewFrame = ViewSize & {
  color: boolean;
  nowMillis: number;
  /** Where the lines come from. */
  source: string;
  /** What is wrong with the connection, or ''. */
  trouble: string;
  /** Kept at the bottom while there is room. */
  footer: readonly string[];
};

const INSTANCE_ROWS_MIN = 5;
const HANG_FRAMES = 6;
const HOT_ROWS = 8;
const STALL_ROWS = 4;
const ROUTE_ROWS = 3;
const SILENT_AFTER_MILLIS = 3000;
const SPARKS = '▁▂▃▄▅▆▇█';
const LABEL_COLUMNS = 9;

/** A row of an instance and how early it must go when room is short: 0 stays longest. */
type RankedRow = { rank: number; row: Row };

/** Exactly `rows` strings, each at most `columns` wide. */
export function renderView(board: Board, frame: ViewFrame): string[] {
  const entries = board.entries(frame.nowMillis);
  const top = [titleRow(entries.length, frame)];
  if (frame.trouble !== '') top.push([segment(printable(frame.trouble), 'yellow')]);
  const footer = frame.footer.length + INSTANCE_ROWS_MIN * 3 <= frame.rows ? frame.footer : [];
  const roomRows = frame.rows - top.length - footer.length;
  const middle = entries.length === 0 ? [emptyRow(frame)] : instanceRows(entries, roomRows, frame);
  const rows = [...top, ...middle.slice(0, roomRows)];
  while (rows.length < frame.rows - footer.length) rows.push([]);
  for (const line of footer) rows.push([segment(line, 'dim')]);
  return rows.slice(0, frame.rows).map((row) => paintRow(row, frame.columns, frame.color));
}

function titleRow(instances: number, frame: ViewFrame): Row {
  const plural = instances === 1 ? 'instance' : 'instances';
  const text = ` ringtail  ${clockText(frame.nowMillis)}  ${instances} ${plural}  ${frame.source}  q quits`;
  return [segment(cutText(text, frame.columns, true), 'inverse')];
}

function emptyRow(frame: ViewFrame): Row {
  return [
    segment(frame.trouble === '' ? ' waiting for an instance: ringtail run -- node app.js' : '', 'dim'),
  ];
}

function instanceRows(entries: readonly BoardEntry[], roomRows: number, frame: ViewFrame): Row[] {
  const fitting = Math.max(1, Math.min(entries.length, Math.floor(roomRows / INSTANCE_ROWS_MIN)));
  const hidden = entries.length - fitting;
  const rows: Row[] = [];
  let leftRows = hidden > 0 ? roomRows - 1 : roomRows;
  for (let i = 0; i < fitting; i++) {
    const shown = keepBest(instanceLines(entries[i]!, frame), Math.floor(leftRows / (fitting - i)));
    rows.push(...shown);
    leftRows -= shown.length;
  }
  if (hidden > 0) rows.push([segment(` ${hidden} more: name a service, or make the window taller`, 'dim')]);
  return rows;
}

function keepBest(lines: readonly RankedRow[], roomRows: number): Row[] {
  const kept = new Set(
    lines
      .map((line, index) => ({ index, rank: line.rank }))
      .sort((a, b) => a.rank - b.rank || a.index - b.index)
      .slice(0, roomRows)
      .map(({ index }) => index),
  );
  return lines.filter((_, index) => kept.has(index)).map(({ row }) => row);
}

function instanceLines(entry: BoardEntry, frame: ViewFrame): RankedRow[] {
  const name = ` ${printable(entry.service)} / ${printable(entry.instance)}`;
  const state = stateText(entry, frame.nowMillis);
  const lines: RankedRow[] = [
    {
      rank: 0,
      row: [segment(name, entry.gone ? 'dim' : 'bold'), segment(state === '' ? '' : `  ${state}`, 'yellow')],
    },
  ];
  const { second } = entry;
  if (second === null) return lines;
  if (!entry.gone) lines.push(...hangLines(second));
  lines.push(
    ...figureLines(entry, second),
    ...pauseLines(second),
    ...routeLines(second),
    ...hotLines(second),
    ...stallLines(entry),
    lostLine(entry),
  );
  lines.push({ rank: 9, row: [] });
  return lines;
}

function stateText(entry: BoardEntry, nowMillis: number): string {
  if (entry.gone && entry.notice !== null)
    return `${entry.notice.kind} ${printable(entry.notice.text)}`.trim();
  const silentMillis = nowMillis - entry.lastAtMillis;
  if (silentMillis > SILENT_AFTER_MILLIS) return `silent for ${Math.round(silentMillis / 1000)} s`;
  return entry.notice?.kind === 'note' ? printable(entry.notice.text) : '';
}

function hangLines({ hang }: TailSecond): RankedRow[] {
  if (hang === null) return [];
  const head = ` HANG     in ${kindText(hang.kind)} for ${millisText(hang.forMillis)}, since ${clockText(hang.sinceMillis)}`;
  const frames = hang.stack.slice(-HANG_FRAMES).reverse().map(shortFrame);
  if (hang.kind === 'native' && frames.length === 0) frames.push(NO_NATIVE_STACK);
  const first = hang.stackFrom === 'before' ? `${LAST_BEFORE}: ` : '';
  return [
    { rank: 0, row: [segment(head, 'red')] },
    ...frames.map((name, index) => ({
      rank: index === 0 ? 1 : 5,
      row: [segment(`${' '.repeat(LABEL_COLUMNS + 1)}${index === 0 ? first : 'called by '}${name}`, 'red')],
    })),
  ];
}

const KIND_TEXTS: Record<HangKind, string> = {
  javascript: 'JavaScript',
  native: 'native code',
  blocked: 'a blocking call',
  starved: 'nothing: the machine ran others',
  unknown: 'something: sampling was off',
};

/** A collector newer than this may know kinds that we do not. */
function kindText(kind: HangKind): string {
  return KIND_TEXTS[kind] ?? printable(kind);
}

function figureLines(entry: BoardEntry, { cpu, loop, gc, http, memory, sampler }: TailSecond): RankedRow[] {
  const delay = loop.delayMillis;
  const utilization = percentText(loop.utilization === null ? null : loop.utilization * 100);
  const delays =
    delay === null
      ? '-'
      : `p50 ${millisText(delay.p50)}  p99 ${millisText(delay.p99)}  max ${millisText(delay.max)}`;
  return [
    figures(1, 'cpu', [
      `${percentText(cpu.processPercent)}  main ${percentText(cpu.mainPercent)}`,
      `ringtail ${percentText(cpu.agentPercent)}`,
      sparkline(entry.cpuPercents),
    ]),
    figures(1, 'delay', [delays, `loop ${utilization} used`]),
    figures(2, 'http', [
      `${http.requestsPerSecond.toFixed(1)}/s  p50 ${millisText(http.p50Millis)}  p99 ${millisText(http.p99Millis)}`,
      `${errorsText(http.errors)}  ${http.aborted} aborted`,
    ]),
    figures(2, 'gc', [
      `${gc.count} in ${millisText(gc.totalMillis)}  longest ${millisText(gc.maxMillis)}`,
      ...(gc.wallPercent === undefined ? [] : [gcShareText(gc)]),
    ]),
    figures(3, 'memory', [
      `heap ${bytesText(memory.heapUsedBytes)} of ${bytesText(memory.heapLimitBytes)}`,
      `rss ${bytesText(memory.rssBytes)}`,
    ]),
    figures(7, 'sampler', [
      `${printable(sampler.state)}  ${sampler.rateHz.toFixed(0)} Hz  ${countText(sampler.ticks)} ticks`,
      `windows ${millisText(sampler.windowMillis)}  leaves repaired ${percentText(sampler.repairedPercent)}, unnamed ${percentText(sampler.unnamedPercent)}`,
    ]),
  ];
}

function figures(rank: number, label: string, parts: readonly string[]): RankedRow {
  return { rank, row: [segment(` ${label.padEnd(LABEL_COLUMNS)}`, 'dim'), segment(parts.join('  '))] };
}

function pauseLines(second: TailSecond): RankedRow[] {
  return Object.entries(pauseTexts(second)).map(([label, text]) => figures(5, label, [text]));
}

/** Nothing where one request is all there was to tell apart. */
function routeLines({ http: { slowest = null, routes = [] } }: TailSecond): RankedRow[] {
  if (slowest === null) return [];
  const within = slowestWithinText(slowest);
  const shown = routes.length > 1 ? routes.slice(0, ROUTE_ROWS) : [];
  return [
    figures(4, 'slowest', [slowestText(slowest)]),
    ...(within === '' ? [] : [figures(5, '', [within])]),
    ...shown.map(({ method, route, requestsPerSecond, errors, p99Millis }, index) =>
      figures(8, index === 0 ? 'routes' : '', [
        `p99 ${millisText(p99Millis).padStart(7)}  ${requestsPerSecond.toFixed(1).padStart(6)}/s`,
        requestName(method, route),
        ...(errors > 0 ? [errorsText(errors)] : []),
      ]),
    ),
  ];
}

function hotLines({ hot }: TailSecond): RankedRow[] {
  return hot.slice(0, HOT_ROWS).map((one, index) => ({
    rank: index === 0 ? 2 : index < 3 ? 4 : 8,
    row: [
      segment(` ${(index === 0 ? 'hottest' : '').padEnd(LABEL_COLUMNS)}`, 'dim'),
      segment(`${percentText(one.selfPercent).padStart(7)} ${percentText(one.totalPercent).padStart(7)}  `),
      segment(hotName(one), index === 0 ? 'green' : 'plain'),
    ],
  }));
}

function stallLines(entry: BoardEntry): RankedRow[] {
  return entry.stalls.slice(0, STALL_ROWS).map((stall, index) => ({
    rank: index === 0 ? 3 : 7,
    row: [
      segment(` ${(index === 0 ? 'stalls' : '').padEnd(LABEL_COLUMNS)}`, 'dim'),
      segment(`${clockText(stall.startMillis)}  ${millisText(stall.forMillis)}  `, 'yellow'),
      segment(stackText(stall.stack)),
    ],
  }));
}

function lostLine(entry: BoardEntry): RankedRow {
  const lost = [...entry.lost].map(([reason, count]) => `${countText(count)} ${printable(reason)}`);
  const text = lost.length === 0 ? 'nothing' : lost.join(', ');
  return {
    rank: lost.length === 0 ? 8 : 3,
    row: [
      segment(` ${'lost'.padEnd(LABEL_COLUMNS)}`, 'dim'),
      segment(text, lost.length === 0 ? 'dim' : 'yellow'),
    ],
  };
}

/** The last seconds as bars of 0..100 % of a core. */
function sparkline(percents: readonly number[]): string {
  return percents
    .slice(-20)
    .map(
      (percent) =>
        SPARKS[Math.max(0, Math.min(SPARKS.length - 1, Math.floor((percent / 100) * SPARKS.length)))],
    )
    .join('');
}
