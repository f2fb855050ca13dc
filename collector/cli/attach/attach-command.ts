/**
 * `ringtail attach PID`: starts the agent in a process that runs without it, `--stop` ends it there again, `--seconds` does
 * both. The process' inspector is open only for as long as that takes: first it is closed again and then the agent
 * starts, and the agent has ended before it is, because Node 22 may crash when an inspector closes under open sessions. In
 * a process that hangs both come when it does not any more; where it hangs is told at once, from the inspector itself.
 */
import { AGENT_KEY } from '../../../agent/wire/agent-key';
import { builtFile } from '../built-files';
import { CliError, EXIT_INTERRUPTED, EXIT_OK } from '../cli-error';
import { environmentUrl, startWords, tailUrl, tailWords } from '../collector-url';
import { fetchServices } from '../connected-services';
import { givenToken } from '../given-token';
import { stopSignal } from '../stop-signal';
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

/** By this time our connection is gone. */
const CLOSES_AFTER_MILLIS = 100;
const AGENT = `process[Symbol.for('${AGENT_KEY}')]`;
/** Node's own timer: the program may have put another in the global's place. */
const LATER = (text: string) =>
  `process.getBuiltinModule('node:timers').setTimeout(() => { ${text} }, ${CLOSES_AFTER_MILLIS}).unref();`;
/** A loop that does not turn for so long hangs. */
const TURNS_WITHIN_MILLIS = 1500;
const FRAMES_MAX = 12;
/** What node:inspector's close() is; loading that module would look as if the program used it (agent/aggregator/recompile.ts). */
const CLOSE = `process._debugEnd();`;

export async function attachCommand({
  pid,
  service,
  seconds,
  stop,
  keepCode,
}: AttachOptions): Promise<number> {
  if (stop) return detach(pid);
  const url = environmentUrl();
  const version = await attach(pid, {
    collectorUrl: url,
    recompile: keepCode ? 'off' : 'start',
    ...(service === undefined ? {} : { service }),
  });
  say(`attached to ${pid} (Node.js ${version}): it sends to ${url}; watch it with: ${tailWords(url)}`);
  const token = givenToken(() => {});
  if ((await fetchServices(tailUrl(undefined, {}), token)) === null)
    say(`no collector answers there yet: ${startWords(new URL(url))}`);
  if (seconds === undefined) {
    say(`leave it with: ringtail attach ${pid} --stop`);
    return EXIT_OK;
  }
  const reason = await stopSignal(seconds).stopped;
  const code = await detach(pid);
  return reason === 'interrupted' ? EXIT_INTERRUPTED : code;
}

/** Gives the process' version of Node. */
async function attach(pid: number, options: Record<string, string>): Promise<string> {
  const inspected = await InspectedProcess.open(pid);
  const file = JSON.stringify(builtFile('agent/index.js'));
  const closing = inspected.isOpenedByUs ? CLOSE : '';
  try {
    const hangs = !(await inspected.turns(TURNS_WITHIN_MILLIS));
    const told = await inspected.evaluate(`(() => {
      if (${AGENT} !== undefined) { ${LATER(closing)} return 'running'; }
      const agent = process.getBuiltinModule('node:module').createRequire(${file})(${file});
      ${LATER(`${closing} agent.start(${JSON.stringify(options)});`)}
      return process.version;
    })()`);
    if (hangs) {
      say(`process ${pid} hangs; the agent starts when it does not any more. It hangs in:`);
      const stack = await inspected.stack();
      const lines = stack.length === 0 ? ['(native code)'] : stack.slice(0, FRAMES_MAX);
      for (const line of lines) process.stderr.write(`  ${line}\n`);
    }
    if (told !== 'running') return String(told);
  } finally {
    await inspected.close();
  }
  throw new CliError('ERR_CLI_ATTACH', `the agent runs in process ${pid} already`, 'ringtail tail shows it');
}

async function detach(pid: number): Promise<number> {
  const inspected = await InspectedProcess.open(pid);
  try {
    const told = await inspected.evaluate(
      `(async () => {
      const agent = ${AGENT};
      await agent?.stop();
      ${inspected.isOpenedByUs ? LATER(CLOSE) : ''}
      return agent === undefined ? 'none' : 'stopped';
    })()`,
      true,
    );
    if (told === 'none')
      throw new CliError('ERR_CLI_ATTACH', `no agent runs in process ${pid}`, 'there is nothing to stop');
  } finally {
    await inspected.close();
  }
  say(`the agent in ${pid} has said goodbye and ended`);
  return EXIT_OK;
}

function say(text: string): void {
  process.stderr.write(`ringtail: ${text}\n`);
}
