/** `ringtail collector`: the collector in the foreground. */
import { startCollector } from '../collector';
import { EXIT_INTERRUPTED, EXIT_OK } from './cli-error';
import { DEFAULT_HOST, DEFAULT_PORT } from './collector-url';
import { stopSignal } from './stop-signal';

export type CollectorCommandOptions = {
  host: string;
  port: number;
  retentionMinutes: number;
  /** MiB. */
  storeMb: number;
  data: string | undefined;
  requireToken: boolean;
};

/** Resolves to the exit code once it was told to stop and has closed. */
export async function collectorCommand(options: CollectorCommandOptions): Promise<number> {
  const stop = stopSignal();
  const collector = await startCollector({
    host: options.host,
    port: options.port,
    retentionMillis: options.retentionMinutes * 60_000,
    storeBytes: Math.floor(options.storeMb * 1024 * 1024),
    dataFolder: options.data,
    requireToken: options.requireToken,
    log: (line: string) => process.stderr.write(`ringtail: ${line}\n`),
  });
  process.stdout.write(
    `${startLines(collector.address, collector.tokenPlace, options.requireToken).join('\n')}\n`,
  );
  const reason = await stop.stopped;
  await collector.close();
  return reason === 'interrupted' ? EXIT_INTERRUPTED : EXIT_OK;
}

/** The lines to type next, as they work with this address and, where readers need it, the token. */
function startLines(
  { host, port }: { host: string; port: number },
  tokenPlace: string,
  requireToken: boolean,
): string[] {
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const usual = host === DEFAULT_HOST && port === DEFAULT_PORT;
  const isFile = /[\\/]/.test(tokenPlace);
  const file = shellWord(tokenPlace);
  const token = isFile ? `$(cat ${file})` : '$RINGTAIL_TOKEN';
  const password = requireToken ? `:${token}@` : '';
  const header = requireToken ? `-H "Authorization: Bearer ${token}" ` : '';
  const variable = isFile ? `RINGTAIL_TOKEN_FILE=${file}` : 'RINGTAIL_TOKEN=$RINGTAIL_TOKEN';
  return [
    `ringtail collector on http://${address}`,
    `  token     ${tokenPlace}`,
    `  program   ${usual ? '' : `RINGTAIL_COLLECTOR=ws://${address} `}ringtail run -- node app.js`,
    `  live      ${requireToken ? `${variable} ` : ''}ringtail tail${usual ? '' : ` --url ws://${address}`}`,
    `  profile   go tool pprof "http://${password}${address}/debug/pprof/profile?seconds=5"`,
    `  metrics   curl ${header}http://${address}/metrics`,
  ];
}

/** As a shell reads it back: in quotes only where it must be. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
