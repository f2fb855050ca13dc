/**
 * What a connection of ours leaves inside the process: it counts itself under a symbol on `process`, and a timer waits
 * until the connection has ended. Only then is the inspector closed, for Node.js crashes where one is closed while a
 * connection is open or being answered, and only then does the agent start, for its sampler rests while one is open.
 * A newer connection takes over from an older one, whose timer then does nothing. Afterwards the symbol is gone.
 */
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const KEY = 'ringtail.attach/1';
const KEEPER = `process[Symbol.for('${KEY}')]`;
const POLL_MILLIS = 50;
/** Node.js asks itself twice to open the inspector for one SIGUSR1, and the second may be heard after it was closed, which opens it again. */
const CLOSES = 3;
/** Where the process does not see our file (its own /tmp), the connection is believed to have ended this long after it said so. */
const ENDS_WITHIN_MILLIS = 500;

/** isOurs: some connection of ours has opened the inspector. replaced: an older one was about to start an agent, which it does not any more. */
export type Kept = { isOurs: boolean; replaced: boolean };

/** A file that is there for as long as our connection is. */
export class ConnectionFile {
  readonly path = join(tmpdir(), `ringtail-attach-${process.pid}-${randomBytes(6).toString('hex')}`);

  constructor() {
    writeFileSync(this.path, '', { flag: 'wx' });
  }

  remove(): void {
    rmSync(this.path, { force: true });
  }
}

/**
 * The expression that begins it. Its timers are Node's own (the program may have put others in the globals' place), and so
 * is what node:inspector's close() is: loading that module would look as if the program used it (agent/aggregator/recompile.ts).
 */
export function keepText(file: ConnectionFile, isOpenedByUs: boolean): string {
  return `((file, cli, opened) => {
    const { setInterval, clearInterval } = process.getBuiltinModule('node:timers');
    const { existsSync, rmSync } = process.getBuiltinModule('node:fs');
    const keeper = (${KEEPER} ??= { newest: 0, isOurs: false, start: null, saidAt: 0 });
    const replaced = keeper.start !== null;
    const number = ++keeper.newest;
    keeper.isOurs ||= opened;
    keeper.start = null;
    keeper.saidAt = 0;
    const lives = () => {
      try { return process.kill(cli, 0); } catch (error) { return error.code === 'EPERM'; }
    };
    const seesFile = existsSync(file);
    const seesCli = lives();
    const isOpen = () => (!seesCli || lives()) &&
      (seesFile ? existsSync(file) : keeper.saidAt === 0 || Date.now() - keeper.saidAt < ${ENDS_WITHIN_MILLIS});
    let closes = 0;
    const timer = setInterval(() => {
      if (keeper.newest !== number) return clearInterval(timer);
      if (closes === 0 && isOpen()) return;
      if (keeper.isOurs && closes++ < ${CLOSES}) return process._debugEnd();
      clearInterval(timer);
      delete ${KEEPER};
      // Where the command line was killed, its file is there still.
      if (seesFile) try { rmSync(file, { force: true }); } catch {}
      keeper.start?.();
    }, ${POLL_MILLIS});
    timer.unref();
    return { isOurs: keeper.isOurs, replaced };
  })(${JSON.stringify(file.path)}, ${process.pid}, ${isOpenedByUs})`;
}

/** The last expression of a connection. */
export const ENDS_NOW = `void (${KEEPER}.saidAt = Date.now())`;

/** Makes a statement wait until the connection has ended. */
export const afterwards = (statement: string): string => `${KEEPER}.start = () => { ${statement} };`;
