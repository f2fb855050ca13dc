/** Why a collector does not start or an option is refused: the one list of codes outside the wire. */

export type CollectorErrorCode =
  /** The port is taken. */
  | 'ERR_COLLECTOR_PORT_BUSY'
  /** The address is not one of this machine's loopback. */
  | 'ERR_COLLECTOR_HOST'
  /** An option is out of range. */
  | 'ERR_COLLECTOR_OPTION'
  /** Listening failed for another reason. */
  | 'ERR_COLLECTOR_LISTEN';

export class CollectorError extends Error {
  readonly code: CollectorErrorCode;

  constructor(code: CollectorErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'CollectorError';
    this.code = code;
  }
}
