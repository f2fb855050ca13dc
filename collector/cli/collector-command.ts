/** `ringtail collector`: the collector in the foreground. */
import { startCollector } from '../collector';
import { EXIT_INTERRUPTED, EXIT_OK } from './cli-error';
import { stopSignal } from './stop-signal';

export type CollectorCommandOptions = {
  host: string;
  port: number;
  data: string | undefined;
  requireToken: boolean;
};

/** Resolves to the exit code once it was told to stop and has closed. */
export async function collectorCommand(options: CollectorCommandOptions): Promise<number> {
  const stop = stopSignal();
  const collector = await startCollector({
    host: options.host,
    port: options.port,
    dataFolder: options.data,
    requireToken: options.requireToken,
    log: (line: string) => process.stderr.write(`ringtail: ${line}\n`),
  });
  const url = `http://${hostText(collector.address.host)}:${collector.address.port}`;
  process.stdout.write(
    [
      `ringtail collector on ${url}`,
      '  program   ringtail run -- node app.js',
      '  live      ringtail tail',
      `  profile   go tool pprof "${url}/debug/pprof/profile?seconds=5"`,
      `  metrics   curl ${url}/metrics`,
      '',
    ].join('\n'),
  );
  const reason = await stop.stopped;
  await collector.close();
  return reason === 'interrupted' ? EXIT_INTERRUPTED : EXIT_OK;
}

function hostText(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
