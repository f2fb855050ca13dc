/** `ringtail export`: a profile in another format, to a file or to standard output. */
import { closeSync, fstatSync, openSync, rmSync, writeSync } from 'node:fs';
import { encodeProfileFile, type ProfileFormat } from '../../profile/profile-file';
import { filterProfile } from '../../profile/report/filter';
import { CliError, EXIT_OK, EXIT_USAGE } from '../cli-error';
import { printPiece } from './output';
import { readSource } from './profile-source';
import { type ReportWords, typeIndex } from './report';

export type ExportWords = ReportWords & { format: ProfileFormat; output?: string | undefined };

export async function exportCommand(source: string | undefined, words: ExportWords): Promise<number> {
  const { format, output } = words;
  if (output === undefined && format === 'pprof' && process.stdout.isTTY) {
    throw new CliError(
      'ERR_CLI_USAGE',
      'a pprof file is binary, and the output is a terminal',
      'name a file with -o FILE, or send it on with a pipe',
      EXIT_USAGE,
    );
  }
  const { profile } = await readSource(source, words);
  const type = words.type === undefined ? undefined : typeIndex(profile, words.type);
  const filtered = filterProfile(profile, words);
  if (output === undefined) encodeProfileFile(filtered, format, printPiece, type);
  else writeFile(output, (write) => encodeProfileFile(filtered, format, write, type));
  return EXIT_OK;
}

/** What could not be written as a whole is not left behind. */
function writeFile(path: string, encode: (write: (piece: string | Uint8Array) => void) => void): void {
  let file: number;
  try {
    file = openSync(path, 'w');
  } catch (error) {
    throw unwritten(path, error);
  }
  let isWhole = false;
  try {
    encode((piece) => writeWhole(path, file, piece));
    isWhole = true;
  } finally {
    const isFile = fstatSync(file).isFile();
    closeSync(file);
    if (!isWhole && isFile) rmSync(path, { force: true });
  }
}

function writeWhole(path: string, file: number, piece: string | Uint8Array): void {
  const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
  } catch (error) {
    throw unwritten(path, error);
  }
}

function unwritten(path: string, error: unknown): CliError {
  const { code, message } = error as NodeJS.ErrnoException;
  return new CliError(
    'ERR_CLI_FILE',
    `cannot write ${path} (${code ?? message})`,
    'name another file with -o',
  );
}
