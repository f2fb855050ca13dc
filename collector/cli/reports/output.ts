/** Reports on standard output. A reader that leaves early (`ringtail top x | head`) is no error. */
import { describeError, EXIT_FAILURE } from '../cli-error';

export function print(lines: readonly string[]): void {
  printPiece(`${lines.join('\n')}\n`);
}

/** Pieces of a file. */
export function printPiece(piece: string | Uint8Array): void {
  if (process.stdout.listenerCount('error', onError) === 0) process.stdout.on('error', onError);
  process.stdout.write(piece);
}

function onError(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') return;
  process.stderr.write(describeError(error, false));
  process.exit(EXIT_FAILURE);
}
