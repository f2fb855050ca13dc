/**
 * `ringtail demo`: everything at once. The collector and the load run in this process, the service with its agent in
 * a child; what is shown comes over the same WebSocket that any `ringtail tail` uses.
 */
import { type Collector, startCollector } from '../../collector';
import { CliError, EXIT_INTERRUPTED, EXIT_OK } from '../cli-error';
import { DEFAULT_HOST, DEFAULT_PORT, tailUrl } from '../collector-url';
import { nextLines } from '../next-lines';
import { type StopSignal, stopSignal } from '../stop-signal';
import { TailClient } from '../tail-client';
import { openTailOutput, tailFormat } from '../tail-output';
import { Load, REQUESTS_PER_SECOND } from './load';
import { fetchFigures } from './metrics-figures';
import { portHolder } from './port-holder';
import { DEMO_SERVICE, ServiceProcess } from './service-process';
import { DemoSummary } from './summary';

/** port: undefined when none was asked for. */
export type DemoCommandOptions = { seconds?: number | undefined; port?: number | undefined; plain: boolean };

/** The agent must have been heard by then. */
const HEARD_WITHIN_MILLIS = 10_000;
const PORTS_TRIED = 32;
/** What is on its way when the service has left. */
const GOODBYE_MILLIS = 500;

/** Resolves to the exit code; rejects with an error to show. Leaves no child behind. */
export async function demoCommand(options: DemoCommandOptions): Promise<number> {
  const collectorLines: string[] = [];
  const collector = await listen(options.port, (line) => collectorLines.push(line));
  const { port } = collector.address;
  const url = `ws://${DEFAULT_HOST}:${port}`;
  const format = tailFormat({ json: false, plain: options.plain });
  say(`demo: collector on http://${DEFAULT_HOST}:${port}; choose another port with --port`);
  if (format === 'plain') say(nextLines(port, DEMO_SERVICE).join('\n'));

  const stop = stopSignal();
  const service = new ServiceProcess(url, (line) => {
    if (format === 'plain') process.stderr.write(`service: ${line}\n`);
  });
  try {
    return await watch({ options, collector, service, stop, format, url });
  } catch (error) {
    for (const line of collectorLines) process.stderr.write(`collector: ${line}\n`);
    throw error;
  } finally {
    stop.stop('done');
    await service.stop();
    await collector.close();
  }
}

type Watched = {
  options: DemoCommandOptions;
  collector: Collector;
  service: ServiceProcess;
  stop: StopSignal;
  format: 'view' | 'plain' | 'json';
  url: string;
};

async function watch({ options, collector, service, stop, format, url }: Watched): Promise<number> {
  const { port } = collector.address;
  const summary = new DemoSummary();
  const servicePort = await Promise.race([service.port(), stop.stopped]);
  if (typeof servicePort === 'string') return EXIT_INTERRUPTED;
  say(
    `demo: service ${service.pid} on http://127.0.0.1:${servicePort}, ${REQUESTS_PER_SECOND} requests a second`,
  );
  service.onUnexpectedEnd((error) => stop.fail(error));

  const load = new Load(servicePort);
  const output = openTailOutput(format, `127.0.0.1:${port}`, nextLines(port, DEMO_SERVICE), (interrupted) =>
    stop.stop(interrupted ? 'interrupted' : 'done'),
  );
  const client = new TailClient(tailUrl(url, { service: DEMO_SERVICE }), {
    line(line, text) {
      if (!load.started && line.type === 'second' && line.sampler.state === 'on') {
        service.begin();
        load.start();
      }
      summary.add(line);
      output.line(line, text);
    },
    trouble: (text) => output.trouble(text),
    failed: (error) => stop.fail(error),
  });
  const startedMillis = performance.now();
  const unheard = setTimeout(() => {
    if (summary.seconds === 0) stop.fail(silentError(service, url));
  }, HEARD_WITHIN_MILLIS);
  const end =
    options.seconds === undefined ? undefined : setTimeout(() => stop.stop('done'), options.seconds * 1000);
  try {
    const reason = await stop.stopped;
    const ranSeconds = (performance.now() - startedMillis) / 1000;
    load.stop();
    await service.stop();
    await new Promise((resolve) => setTimeout(resolve, GOODBYE_MILLIS));
    output.close();
    if (summary.seconds === 0 && reason === 'done') throw silentError(service, url);
    const figures = await fetchFigures(port, DEMO_SERVICE);
    say(summary.lines(ranSeconds, load.counts, figures).join('\n'));
    return reason === 'interrupted' ? EXIT_INTERRUPTED : EXIT_OK;
  } finally {
    clearTimeout(unheard);
    clearTimeout(end);
    load.stop();
    client.close();
    output.close();
  }
}

function silentError(service: ServiceProcess, url: string): CliError {
  return new CliError(
    'ERR_CLI_DEMO_SILENT',
    `the collector at ${url} heard nothing from the agent in the demo's service (process ${service.pid})`,
    `the service itself: ${service.lastWords()}`,
  );
}

/** An asked-for port or none; without one, the first free from the default on, told by the caller. */
async function listen(asked: number | undefined, log: (line: string) => void): Promise<Collector> {
  const first = asked ?? DEFAULT_PORT;
  for (let port = first; ; port++) {
    try {
      return await startCollector({
        host: DEFAULT_HOST,
        port,
        dataFolder: undefined,
        requireToken: false,
        log,
      });
    } catch (error) {
      if (!isPortBusy(error)) throw error;
      const holder = await portHolder(port);
      if (asked !== undefined || port - first >= PORTS_TRIED) {
        throw new CliError(
          'ERR_CLI_PORT_BUSY',
          `port ${port} is taken by ${holder}`,
          `choose another: ringtail demo --port ${port + 1}   (0 takes any free one)`,
        );
      }
      process.stderr.write(`demo: port ${port} is taken by ${holder}, trying ${port + 1}\n`);
    }
  }
}

function isPortBusy(error: unknown): boolean {
  const texts = [error, (error as { cause?: unknown } | null)?.cause].map(
    (e) => `${(e as { code?: unknown })?.code}`,
  );
  return texts.some((code) => code === 'EADDRINUSE' || code.endsWith('PORT_BUSY'));
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
