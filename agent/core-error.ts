/** What the core throws, by code. */
export type CoreErrorCode =
  /** Bytes that are not that many samples. */
  | 'ERR_COLUMNS'
  /** Bytes that are no histogram delta, or counts beyond 2^53. */
  | 'ERR_HISTOGRAM'
  /** A capacity or quantile outside its bounds. */
  | 'ERR_CORE_ARGUMENT'
  /** A CoreTables' memory is used up. */
  | 'ERR_TABLES_FULL'
  /** Memory that another version of ringtail has made. */
  | 'ERR_CORE_LAYOUT';

export class CoreError extends Error {
  readonly code: CoreErrorCode;

  constructor(code: CoreErrorCode, message: string) {
    super(message);
    this.name = 'CoreError';
    this.code = code;
  }
}
