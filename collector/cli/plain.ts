/**
 * A tail line as plain text: one line for the second of an instance, indented lines below it for what needs more
 * room (a hang, stalls, hottest functions, losses). For pipes, logs and terminals that cannot redraw.
 */

import { printable } from '../profile/printable';
import type { TailLine, TailNotice, TailSecond } from '../tail/schema';
import { bytesText, clockText, errorsText, millisText, percentText, shareText } from './figures';

const HOT_FUNCTIONS = 3;
const STACK_FRAMES = 5;
/** Less is written as 0.0 %. */
const SELF_PERCENT_MIN = 0.05;
/** A shorter collection has no line of its own. */
const LONG_GC_MILLIS = 5;

/** In front of a hang's stack that is older than the hang. */
export const LAST_BEFORE = 'last seen before it';
/** Instead of the stack of a hang in native code in which no JavaScript was seen. */
export const NO_NATIVE_STACK = 'no stack until it returns: native code cannot be interrupted';

/** What a frame of `hot` is called: name, and file and line when known. */
export function hotName(hot: TailSecond['hot'][number]): string {
  return hot.file === ''
    ? printable(hot.function)
    : placedName(printable(hot.function), printable(`${shortFile(hot.file)}:${hot.line}`));
}

/** The inner frames of a root-first stack, leaf first. */
export function stackText(stack: readonly string[], frames: number = STACK_FRAMES): string {
  if (stack.length === 0) return '(no stack)';
  const inner = stack.slice(-frames).reverse().map(shortFrame).join(' < ');
  return stack.length > frames ? `${inner} < …` : inner;
}

export function plainLines(line: TailLine): string[] {
  return line.type === 'notice' ? [noticeText(line)] : secondLines(line);
}

function noticeText(notice: TailNotice): string {
  const text = notice.text === '' ? '' : `: ${printable(notice.text)}`;
  return `${head(notice)}  ${notice.kind}${text}`;
}

function secondLines(second: TailSecond): string[] {
  const lines = [`${head(second)}  ${figuresText(second)}`];
  if (second.hang !== null) {
    const { kind, forMillis, stack, stackFrom } = second.hang;
    const front = stackFrom === 'before' ? LAST_BEFORE : 'still';
    const where = kind === 'native' && stack.length === 0 ? NO_NATIVE_STACK : `${front}: ${stackText(stack)}`;
    lines.push(`  HANG ${kind} for ${millisText(forMillis)}, ${where}`);
  }
  for (const stall of second.stalls) {
    lines.push(
      `  stall ${stall.kind} ${millisText(stall.forMillis)} at ${clockText(stall.startMillis)}: ${stackText(stall.stack)}`,
    );
  }
  for (const [label, text] of Object.entries(pauseTexts(second))) lines.push(`  ${label} ${text}`);
  const { slowest } = second.http;
  if (slowest != null) {
    const within = slowestWithinText(slowest);
    lines.push(`  slowest ${slowestText(slowest)}`, ...(within === '' ? [] : [`    ${within}`]));
  }
  const onCpu = second.hot.filter(({ selfPercent }) => selfPercent >= SELF_PERCENT_MIN);
  for (const hot of onCpu.slice(0, HOT_FUNCTIONS)) {
    lines.push(
      `  hot ${percentText(hot.selfPercent)} self, ${percentText(hot.totalPercent)} total: ${hotName(hot)}`,
    );
  }
  if (second.drops.length > 0) {
    lines.push(`  lost ${second.drops.map((d) => `${d.count} ${printable(d.reason)}`).join(', ')}`);
  }
  return lines;
}

/** What is worth a line of its own: a long collection and a brief stall with their stacks, memory that does not come back. */
export function pauseTexts({ gc, loop, memory }: TailSecond): Record<string, string> {
  const texts: Record<string, string> = {};
  const { briefStall = null, stallTiers = [] } = loop;
  if (briefStall !== null) {
    const count = stallTiers.reduce((sum, tier) => sum + tier.count, 0);
    texts.brief = `stall of ${millisText(briefStall.forMillis)}, one of ${count}: ${stackText(briefStall.stack)}`;
  }
  if (gc.longest != null && gc.longest.millis >= LONG_GC_MILLIS) {
    const { millis, name, stack } = gc.longest;
    texts.collected = `${printable(name)} ${millisText(millis)}: ${stackText(stack)}`;
  }
  if (memory.afterMajor?.hint != null) texts.kept = printable(memory.afterMajor.hint);
  return texts;
}

/** Share of the second's time, and what the worst 10 ms of the last minute left to the program; '' from a collector that does not say. */
export function gcShareText({ wallPercent, minute }: TailSecond['gc']): string {
  if (wallPercent === undefined) return '';
  const worst = minute?.mutatorPercent.find(({ percent }) => percent !== null);
  const left =
    worst === undefined
      ? ''
      : `, worst ${worst.windowMillis} ms left ${percentText(worst.percent)} to the program`;
  return `${percentText(wallPercent)} of time${left}`;
}

/** As in 'GET /users/:id 200 31.2 ms'. */
export function slowestText(slowest: NonNullable<TailSecond['http']['slowest']>): string {
  const { method, route, status, aborted, millis } = slowest;
  const end = aborted ? 'aborted' : String(status);
  return `${requestName(method, route)} ${end} ${millisText(millis)}`;
}

/** As in 'in rendersReport (app.js:12), 640 of 812 ms'; '' where nothing is known to have run most of it. */
export function slowestWithinText(slowest: NonNullable<TailSecond['http']['slowest']>): string {
  const { millis, stack = [], busyMillis = null } = slowest;
  const inner = stack.at(-1);
  return inner === undefined || busyMillis === null
    ? ''
    : `in ${shortFrame(inner)}, ${shareText(busyMillis, millis)}`;
}

export function requestName(method: string, route: string | null): string {
  return `${printable(method)} ${route === null ? '(no route)' : printable(route)}`;
}

function figuresText(second: TailSecond): string {
  const { cpu, loop, gc, http, memory, sampler } = second;
  const delay = loop.delayMillis;
  const utilization = loop.utilization === null ? null : loop.utilization * 100;
  return [
    `cpu ${percentText(cpu.processPercent)} (main ${percentText(cpu.mainPercent)}, ringtail ${percentText(cpu.agentPercent)})`,
    `loop ${percentText(utilization)}`,
    delay === null
      ? 'delay -'
      : `delay p50 ${millisText(delay.p50)} p99 ${millisText(delay.p99)} max ${millisText(delay.max)}`,
    `gc ${gc.count} in ${millisText(gc.totalMillis)} max ${millisText(gc.maxMillis)}${gcShareText(gc) && ` (${gcShareText(gc)})`}`,
    `http ${http.requestsPerSecond.toFixed(1)}/s p50 ${millisText(http.p50Millis)} p99 ${millisText(http.p99Millis)}`,
    `${errorsText(http.errors)} ${http.aborted} aborted`,
    `heap ${bytesText(memory.heapUsedBytes)} rss ${bytesText(memory.rssBytes)}`,
    `sampler ${printable(sampler.state)} ${sampler.rateHz.toFixed(0)} Hz ${sampler.ticks} ticks`,
  ].join(' | ');
}

function head(line: TailLine): string {
  return `${clockText(line.atMillis)} ${printable(line.service)}/${printable(line.instance)}`;
}

/** A frame as in 'function (file:line)', printable, its path shortened. */
export function shortFrame(frame: string): string {
  const [, name, place] = /^(.*) \(([^()]*)\)$/.exec(printable(frame)) ?? [];
  return name === undefined || place === undefined ? printable(frame) : placedName(name, shortFile(place));
}

/** A function without a name is called after its place already: once is enough. */
function placedName(name: string, place: string): string {
  return name.startsWith('(anonymous) ') && `/${place}`.endsWith(`/${name.slice('(anonymous) '.length)}`)
    ? `(anonymous) ${place}`
    : `${name} (${place})`;
}

/** The last two parts of a path: enough to know the file, short enough for a line. A module of Node.js keeps its name. */
function shortFile(file: string): string {
  if (file.startsWith('node:')) return file;
  return file.split(/[\\/]/).slice(-2).join('/');
}
