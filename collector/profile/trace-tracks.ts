/** Tracks of a trace: the threads of processes that its events name by ids, and what those are called. */
import { type JsonRecord, recordOf, textOf } from './json-value';
import { broken } from './profile-error';

/** Named in errors. */
export const TRACE_FORMAT = 'trace';
const THREAD_LABEL = 'thread';
const PROCESS_LABEL = 'process';

/** A pid, tid or id: a number or text as text, '' where the member is missing. */
export function trackIdOf(what: string, value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  throw broken(TRACE_FORMAT, `${what} is neither a number nor a string`);
}

/** What processes and threads are called, by their ids. */
export class TrackNames {
  readonly #names = new Map<string, string>();

  read(event: JsonRecord): void {
    if (event.name !== 'thread_name' && event.name !== 'process_name') return;
    const args = recordOf(TRACE_FORMAT, 'args', event.args ?? {});
    const text = textOf(TRACE_FORMAT, 'name in args', args.name);
    const tid = event.name === 'thread_name' ? ` ${trackIdOf('tid', event.tid)}` : '';
    if (text !== '') this.#names.set(`${trackIdOf('pid', event.pid)}${tid}`, text);
  }

  /** Key and value of labels. */
  of(pid: string, tid: string): string[] {
    const program = this.#names.get(pid);
    const thread = this.#names.get(`${pid} ${tid}`) ?? tid;
    return [
      ...(program === undefined ? [] : [PROCESS_LABEL, program]),
      ...(thread === '' ? [] : [THREAD_LABEL, thread]),
    ];
  }
}
