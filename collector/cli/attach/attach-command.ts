/**
 * `ringtail attach PID`: starts the agent in a process that runs without it, `--stop` ends it there again, `--seconds` does
 * both. The process' inspector is open only for as long as that takes: first it is closed again and then the agent
 * starts, and the agent has ended before it is, because Node 22 may crash when an inspector closes under open sessions. In
 * a process that hangs nothing is started or ended: that is waited for, and where it hangs is told at once.
 */
import { AGENT_KEY } from '../../../agent/wire/agent-key';
import { builtFile } from '../built-files';
import { CliError, EXIT_INTERRUPTED, EXIT_OK } from '../cli-error';
import { environmentUrl, silentWords, tailUrl, tailWords } from '../collector-url';
import { fetchServices } from '../connected-services';
import { givenToken } from '../given-token';
import { type StopSignal, stopSignal } from '../stop-signal';
import { afterwards } from './connection-keeper';
import { waitForTurn } from './hang-wait';
import { HotNote } from './hot-note';
import { InspectedProcess } from './inspected-process';

/** pid: of a Node process of this user. seconds: end by itself after this long, and leave the process as it was. */
export type AttachOptions = {
  pid: number;
  service: string | undefined;
  seconds: number | undefined;
  stop: boolean;
  /** Leaves the code that V8 has compiled alone, whatever that hides. */
  keepCode: boolean;
};

const AGENT = `process[Symbol.for('${AGENT_KEY}')]`;
const POLL_MILLIS = 1000;

export async function attachCommand(options: AttachOptions): Promise<number> {
  const { pid, service, keepCode } = options;
  if (options.stop) return detach(pid);
  const url = environmentUrl();
  const note = keepCode ? null : new HotNote(pid, service);
  try {
    const version = await attach(pid, {
      collectorUrl: url,
      recompile: keepCode ? 'off' : 'start',
      ...(service === undefined ? {} : { service }),
    });
    return version === null ? EXIT_INTERRUPTED : await stay(options, url, version, note);
  } finally {
    note?.close();
  }
}

/** The agent runs. */
async function stay(
  { pid, seconds }: AttachOptions,
  url: string,
  version: string,
  note: HotNote | null,
): Promise<number> {
  const signal = seconds === undefined ? null : stopSignal(seconds);
  say(`attached to ${pid} (Node.js ${version}): it sends to ${url}; watch it with: ${tailWords(url)}`);
  const token = givenToken(() => {});
  if ((await fetchServices(tailUrl(undefined, {}), token)) === null) say(silentWords(url));
  const over = signal === null ? [] : [signal.stopped.then(() => null)];
  const hot = note === null ? null : await Promise.race([note.text(), ...over]);
  if (hot !== null) say(hot);
  if (signal === null) {
    say(`leave it with: ringtail attach ${pid} --stop`);
    return EXIT_OK;
  }
  const reason = await signal.stopped;
  const code = await detach(pid);
  return reason === 'interrupted' ? EXIT_INTERRUPTED : code;
}

/** Gives the process' version of Node once the agent has started there; null where that was interrupted, and nothing started. */
async function attach(pid: number, options: Record<string, string>): Promise<string | null> {
  const signal = stopSignal();
  const inspected = await InspectedProcess.open(pid);
  try {
    if (!(await waitForTurn(inspected, signal.stopped, 'the agent starts', say)))
      return await leaveUntouched(inspected);
    const file = JSON.stringify(builtFile('agent/index.js'));
    const version = await inspected.evaluate(`(() => {
      if (${AGENT} !== undefined) return 'running';
      const agent = process.getBuiltinModule('node:module').createRequire(${file})(${file});
      ${afterwards(`agent.start(${JSON.stringify(options)});`)}
      return process.version;
    })()`);
    const hasStarted = await inspected.close();
    if (version === 'running')
      throw new CliError(
        'ERR_CLI_ATTACH',
        `the agent runs in process ${pid} already`,
        'ringtail tail shows it',
      );
    if (!inspected.isOpenedByUs)
      say(`the inspector of ${pid} is open (port ${inspected.port}): there is no CPU profile while it is`);
    if (hasStarted || !inspected.isOpenedByUs || (await startsLater(inspected, signal)))
      return String(version);
    return await leaveUntouched(await InspectedProcess.open(pid));
  } finally {
    signal.stop('done');
    await inspected.close();
  }
}

/** It hangs again, before the agent has started. False where the wait was interrupted. */
async function startsLater(inspected: InspectedProcess, { stopped }: StopSignal): Promise<boolean> {
  say(`process ${inspected.pid} hangs again; the agent starts when it does not any more`);
  let isInterrupted = false;
  void stopped.then(() => {
    isInterrupted = true;
  });
  while (!isInterrupted) if (await inspected.hasClosed(POLL_MILLIS)) return true;
  return false;
}

/** Whoever is connected last decides what is started, so nothing is. */
async function leaveUntouched(inspected: InspectedProcess): Promise<null> {
  const hasClosed = await inspected.close();
  const closing =
    hasClosed || !inspected.isOpenedByUs
      ? ''
      : `; it closes its inspector (port ${inspected.port}) itself when it does not hang any more`;
  say(`interrupted: nothing was started in process ${inspected.pid}${closing}`);
  return null;
}

async function detach(pid: number): Promise<number> {
  const signal = stopSignal();
  const inspected = await InspectedProcess.open(pid);
  try {
    if (!(await waitForTurn(inspected, signal.stopped, 'the agent ends', say))) {
      say(
        `interrupted: if an agent runs in process ${pid}, it stays; end it with: ringtail attach ${pid} --stop`,
      );
      return EXIT_INTERRUPTED;
    }
    const told = await inspected.evaluate(
      `(async () => {
      const agent = ${AGENT};
      await agent?.stop();
      return agent === undefined ? 'none' : 'stopped';
    })()`,
      true,
    );
    if (told === 'none' && !inspected.hasReplaced)
      throw new CliError('ERR_CLI_ATTACH', `no agent runs in process ${pid}`, 'there is nothing to stop');
    say(
      told === 'none'
        ? `the agent in ${pid} had not started yet, and will not`
        : `the agent in ${pid} has said goodbye and ended`,
    );
  } finally {
    signal.stop('done');
    await inspected.close();
  }
  return EXIT_OK;
}

function say(text: string): void {
  process.stderr.write(`ringtail: ${text}\n`);
}
