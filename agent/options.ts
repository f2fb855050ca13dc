/**
 * Every option of the agent: name, environment variable, allowed values, unit, default. One table, read by the
 * preload (environment) and by start() (API). The variable's name is the option's name in capitals: cpuHz is
 * RINGTAIL_CPU_HZ. A bad value is told and its default is used: reading options never throws.
 *
 * Precedence: RINGTAIL_ENABLED=0, then what start() was given, then the environment, then the default.
 */
import { nearestName } from './nearest';
import { shown } from './shown';

/** What follows live asynchronous resources: see agent/sources/async.ts. */
export type AsyncMode = 'auto' | 'off' | 'window' | 'on';
const ASYNC_MODES: readonly AsyncMode[] = ['auto', 'off', 'window', 'on'];

/** When V8 is made to compile what is hot again: see agent/aggregator/recompile.ts. */
export type RecompileMode = 'auto' | 'start' | 'off';
const RECOMPILE_MODES: readonly RecompileMode[] = ['auto', 'start', 'off'];

/** Signals whose listener takes nothing from the runtime or from us. */
const RECORD_SIGNALS = ['SIGUSR2', 'SIGHUP', 'SIGQUIT'] as const;
export type RecordSignal = (typeof RECORD_SIGNALS)[number];

/** Plain data: travels to the agent thread in workerData. Texts are '' and not undefined when there is nothing. */
export type AgentOptions = {
  enabled: boolean;
  /** ws: or wss: address of the collector. */
  collectorUrl: string;
  /** '' : found from OTEL_SERVICE_NAME, package.json or the script's name. */
  service: string;
  /** '' : host name and process id. */
  instance: string;
  /** Flat: key, value, key, value. */
  labels: string[];
  /** Nominal sampling rate; 0 samples nothing. */
  cpuHz: number;
  /** A loop that has not turned for this long is stalled. */
  stallMillis: number;
  /** CPU the agent may spend, percent of one core. */
  budgetPercent: number;
  /** Longest pause of the main thread a rotation should cost. */
  pauseBudgetMicros: number;
  /** Sampling rests after this long without activity. */
  idleAfterMillis: number;
  /** How often a message leaves. */
  flushMillis: number;
  /** Longest sampling window while nobody watches. */
  maxWindowMillis: number;
  /** Requests of servers that tell no routes are told apart by their path, as a template. */
  httpPaths: boolean;
  /** When live asynchronous resources are followed. */
  async: AsyncMode;
  /** Bytes kept for a collector that does not acknowledge. */
  queueBytes: number;
  /** Worker threads are sampled: 'auto' does so where the Node.js line is known to stand it. */
  sampleWorkers: 'auto' | 'on' | 'off';
  /** One allocation in so many bytes is sampled; 0 samples none. */
  heapSampleBytes: number;
  /** How often the heap is captured without being asked, where the pause allows it; 0 for never. */
  heapEverySeconds: number;
  /** The longest pause that a capture nobody asked for may cost. */
  heapPauseMillis: number;
  /** Share of the heap limit at which a capture is made before the process may die of it; 0 for none. */
  heapLimitPercent: number;
  /** Samples get the route of the request that they were taken in. */
  routeLabels: boolean;
  /** How far back the flight recorder goes; 0 records nothing. */
  recordSeconds: number;
  /** A stall from here on dumps the flight recorder. */
  recordStallMillis: number;
  /** Where dumps are left as files, and how many at the most; '' keeps the last one in memory. */
  recordDir: string;
  recordFiles: number;
  /** A signal that dumps the flight recorder; '' for none, and then none is listened for. */
  recordSignal: '' | RecordSignal;
  /** When V8 is made to compile hot code again, so that it is named: on evidence, after the first start too, or never. */
  recompile: RecompileMode;
  /** The runtime's trace events may be used to tell operations of the pool apart. */
  poolTrace: boolean;
  /** host:port of the loopback that the agent itself serves /debug/pprof/ on; '' for none. */
  pprofAddress: string;
  /** Where a CPU profile of the whole run is written, %p for the process id; '' for nowhere. */
  outFile: string;
  /** At exit, the ten functions that took most CPU are told on stderr. */
  summary: boolean;
};

/** What start() takes. Labels are an object there. */
export type StartOptions = { [K in Exclude<keyof AgentOptions, 'labels'>]?: AgentOptions[K] | undefined } & {
  labels?: Readonly<Record<string, string>> | undefined;
};

export type Environment = Readonly<Record<string, string | undefined>>;

/** `problems`: one sentence each for everything that was not used as given. */
export type ReadOptions = { options: AgentOptions; problems: string[] };

/** Gives the value to use, or undefined when `got` is not allowed. */
type Parse<T> = (got: unknown) => T | undefined;
/** unset: what an empty default means, in a word or a few; 'none' where nothing is said. */
type Row<T> = { variable: string; allowed: string; initial: T; parse: Parse<T>; unset?: string };
type Table = { [K in keyof AgentOptions]: Row<AgentOptions[K]> };

const LABEL_PAIRS_MAX = 32;
const TEXT_CHARS_MAX = 255;
const URL_CHARS_MAX = 4096;
const PATH_CHARS_MAX = 4096;
const HEAP_SAMPLE_BYTES_MIN = 16_384;
const HEAP_SAMPLE_BYTES_MAX = 1_073_741_824;
const PORT_MAX = 65_535;

const SWITCH = new Map<unknown, boolean>([
  ['0', false],
  ['false', false],
  [false, false],
  ['1', true],
  ['true', true],
  [true, true],
]);

const WORKERS = new Map<unknown, AgentOptions['sampleWorkers']>([
  ['auto', 'auto'],
  ['0', 'off'],
  ['off', 'off'],
  ['1', 'on'],
  ['on', 'on'],
]);

export const OPTION_TABLE: Table = {
  enabled: {
    variable: 'RINGTAIL_ENABLED',
    allowed: '0 or 1',
    initial: true,
    parse: (got) => SWITCH.get(got),
  },
  collectorUrl: {
    variable: 'RINGTAIL_COLLECTOR',
    allowed: 'a ws:// or wss:// address',
    initial: 'ws://127.0.0.1:7411',
    parse: parseCollectorUrl,
  },
  service: text('RINGTAIL_SERVICE', 'what the program is called'),
  instance: text('RINGTAIL_INSTANCE', 'host name and process id'),
  labels: {
    variable: 'RINGTAIL_LABELS',
    allowed: `at most ${LABEL_PAIRS_MAX} key=value pairs separated by commas`,
    initial: [],
    parse: parseLabels,
  },
  cpuHz: number('RINGTAIL_CPU_HZ', 0, 1000, 99, 'samples a second'),
  stallMillis: number('RINGTAIL_STALL_MILLIS', 20, 60_000, 200, 'ms'),
  budgetPercent: number('RINGTAIL_BUDGET_PERCENT', 0.1, 100, 1, '% of one core'),
  pauseBudgetMicros: number('RINGTAIL_PAUSE_BUDGET_MICROS', 100, 1_000_000, 2000, 'µs'),
  idleAfterMillis: number('RINGTAIL_IDLE_AFTER_MILLIS', 1000, 3_600_000, 30_000, 'ms'),
  flushMillis: number('RINGTAIL_FLUSH_MILLIS', 100, 60_000, 1000, 'ms'),
  maxWindowMillis: number('RINGTAIL_MAX_WINDOW_MILLIS', 1000, 60_000, 10_000, 'ms'),
  httpPaths: {
    variable: 'RINGTAIL_HTTP_PATHS',
    allowed: '0 or 1',
    initial: true,
    parse: (got) => SWITCH.get(got),
  },
  async: {
    variable: 'RINGTAIL_ASYNC',
    allowed: 'auto, off, window or on',
    initial: 'auto',
    parse: (got) => ASYNC_MODES.find((mode) => mode === got),
  },
  queueBytes: number('RINGTAIL_QUEUE_BYTES', 65_536, 1_073_741_824, 8 * 1024 * 1024, 'bytes'),
  sampleWorkers: {
    variable: 'RINGTAIL_WORKERS',
    allowed: '0, 1 or auto',
    initial: 'auto',
    parse: (got) => WORKERS.get(got),
  },
  heapSampleBytes: {
    variable: 'RINGTAIL_HEAP_SAMPLE_BYTES',
    allowed: `0, or a number from ${HEAP_SAMPLE_BYTES_MIN} to ${HEAP_SAMPLE_BYTES_MAX} (bytes)`,
    initial: 524_160,
    parse: parseHeapSampleBytes,
  },
  heapEverySeconds: number('RINGTAIL_HEAP_EVERY_SECONDS', 0, 86_400, 600, 's'),
  heapPauseMillis: number('RINGTAIL_HEAP_PAUSE_MILLIS', 1, 10_000, 20, 'ms'),
  heapLimitPercent: number('RINGTAIL_HEAP_LIMIT_PERCENT', 0, 99, 80, '% of the heap limit'),
  routeLabels: {
    variable: 'RINGTAIL_ROUTE_LABELS',
    allowed: '0 or 1',
    initial: false,
    parse: (got) => SWITCH.get(got),
  },
  recordSeconds: number('RINGTAIL_RECORD_SECONDS', 0, 600, 60, 's'),
  recordStallMillis: number('RINGTAIL_RECORD_STALL_MILLIS', 50, 3_600_000, 1000, 'ms'),
  recordDir: {
    variable: 'RINGTAIL_RECORD_DIR',
    allowed: `a folder's name of 1 to ${PATH_CHARS_MAX} characters`,
    initial: '',
    parse: (got) => (isText(got, PATH_CHARS_MAX) ? got : undefined),
  },
  recordFiles: number('RINGTAIL_RECORD_FILES', 1, 1000, 10, 'files'),
  recordSignal: {
    variable: 'RINGTAIL_RECORD_SIGNAL',
    allowed: RECORD_SIGNALS.join(', '),
    initial: '',
    parse: (got) => RECORD_SIGNALS.find((signal) => signal === got),
  },
  recompile: {
    variable: 'RINGTAIL_RECOMPILE',
    allowed: 'auto, start or off',
    initial: 'auto',
    parse: (got) => RECOMPILE_MODES.find((mode) => mode === got),
  },
  poolTrace: {
    variable: 'RINGTAIL_POOL_TRACE',
    allowed: '0 or 1',
    initial: false,
    parse: (got) => SWITCH.get(got),
  },
  pprofAddress: {
    variable: 'RINGTAIL_PPROF',
    allowed: 'a port, or an address of the loopback with a port (127.0.0.1:6060)',
    initial: '',
    parse: parsePprofAddress,
  },
  outFile: {
    variable: 'RINGTAIL_OUT',
    allowed: `a file name of 1 to ${PATH_CHARS_MAX} characters`,
    initial: '',
    parse: (got) => (isText(got, PATH_CHARS_MAX) ? got : undefined),
  },
  summary: {
    variable: 'RINGTAIL_SUMMARY',
    allowed: '0 or 1',
    initial: false,
    parse: (got) => SWITCH.get(got),
  },
};

/** Variables that somebody else reads. */
const OTHER_VARIABLES = ['RINGTAIL_TOKEN', 'RINGTAIL_TOKEN_FILE'];

export function readOptions(environment: Environment, given: StartOptions = {}): ReadOptions {
  const problems: string[] = [];
  const options: Record<string, unknown> = {};
  for (const [name, row] of Object.entries(OPTION_TABLE) as [keyof AgentOptions, Row<unknown>][]) {
    const fromEnvironment = environment[row.variable];
    const asked = given[name] ?? (fromEnvironment === '' ? undefined : fromEnvironment);
    const value = asked === undefined ? row.initial : parsed(row, asked);
    if (value === undefined) {
      const label = given[name] === undefined ? row.variable : name;
      problems.push(`${label} must be ${row.allowed}, got ${shown(asked)}: using ${initialText(row)}`);
    }
    options[name] = value ?? row.initial;
  }
  if (OPTION_TABLE.enabled.parse(environment[OPTION_TABLE.enabled.variable]) === false)
    options.enabled = false;
  problems.push(...unknownNames(environment, given));
  return { options: options as AgentOptions, problems };
}

/** The default in the words of the environment: true is 1, and nothing is what that means. */
function initialText({ initial, unset = 'none' }: Row<unknown>): string {
  if (typeof initial === 'boolean') return initial ? '1' : '0';
  if (initial === '' || (Array.isArray(initial) && initial.length === 0)) return unset;
  return typeof initial === 'string' ? initial : shown(initial);
}

/** Reading what start() was given may run its getters and conversions: those that throw are not allowed values. */
function parsed<T>(row: Row<T>, asked: unknown): T | undefined {
  try {
    return row.parse(asked);
  } catch {
    return undefined;
  }
}

function unknownNames(environment: Environment, given: StartOptions): string[] {
  const variables = [...Object.values(OPTION_TABLE).map((row) => row.variable), ...OTHER_VARIABLES];
  const names = Object.keys(OPTION_TABLE);
  const set = Object.keys(environment).filter((key) => key.startsWith('RINGTAIL_'));
  return [...unknownOf(set, variables), ...unknownOf(Object.keys(given), names)];
}

function unknownOf(got: string[], known: string[]): string[] {
  return got
    .filter((name) => !known.includes(name))
    .map((name) => {
      const nearest = nearestName(name, known);
      return `unknown option ${shown(name)}${nearest === '' ? '' : ` (did you mean ${nearest}?)`}`;
    });
}

function number(variable: string, min: number, max: number, initial: number, unit: string): Row<number> {
  const parse = (got: unknown): number | undefined => {
    const value = typeof got === 'string' && /^\d+(\.\d+)?$/.test(got) ? Number(got) : got;
    return typeof value === 'number' && value >= min && value <= max ? value : undefined;
  };
  return { variable, allowed: `a number from ${min} to ${max} (${unit})`, initial, parse };
}

function text(variable: string, unset: string): Row<string> {
  return {
    variable,
    allowed: `1 to ${TEXT_CHARS_MAX} printable characters`,
    initial: '',
    unset,
    parse: (got) => (isText(got, TEXT_CHARS_MAX) ? got : undefined),
  };
}

export function isText(got: unknown, maxChars = TEXT_CHARS_MAX): got is string {
  return typeof got === 'string' && got.length > 0 && got.length <= maxChars && !/\p{Cc}/u.test(got);
}

function parseCollectorUrl(got: unknown): string | undefined {
  if (!isText(got, URL_CHARS_MAX) || !URL.canParse(got)) return undefined;
  const { protocol, hostname } = new URL(got);
  return (protocol === 'ws:' || protocol === 'wss:') && hostname !== '' ? got : undefined;
}

/** V8 wants a whole number; far below the least one every allocation would cost a walk of the stack. */
function parseHeapSampleBytes(got: unknown): number | undefined {
  const bytes = typeof got === 'string' && /^\d+$/.test(got) ? Number(got) : got;
  if (bytes === 0) return 0;
  if (typeof bytes !== 'number' || !Number.isInteger(bytes)) return undefined;
  return bytes >= HEAP_SAMPLE_BYTES_MIN && bytes <= HEAP_SAMPLE_BYTES_MAX ? bytes : undefined;
}

/** `6060`, `:6060`, `127.0.0.1:6060`, `localhost:6060` or `[::1]:6060`. */
function parsePprofAddress(got: unknown): string | undefined {
  const [, host = '', port = ''] =
    /^(?:(127(?:\.\d{1,3}){3}|localhost|\[::1\])?:)?(\d{1,5})$/.exec(String(got)) ?? [];
  if (port === '' || Number(port) > PORT_MAX) return undefined;
  return `${host || '127.0.0.1'}:${Number(port)}`;
}

function parseLabels(got: unknown): string[] | undefined {
  const pairs = typeof got === 'string' ? got.split(',').map(splitPair) : labelPairs(got);
  if (pairs === undefined || pairs.length > LABEL_PAIRS_MAX) return undefined;
  const flat = pairs.flat();
  return flat.every((part) => isText(part)) ? (flat as string[]) : undefined;
}

function splitPair(pair: string): [string, string] {
  const equals = pair.indexOf('=');
  return equals < 0 ? [pair.trim(), ''] : [pair.slice(0, equals).trim(), pair.slice(equals + 1).trim()];
}

function labelPairs(got: unknown): [string, unknown][] | undefined {
  return typeof got === 'object' && got !== null && !Array.isArray(got) ? Object.entries(got) : undefined;
}
