/** `ringtail tail`: shows what a collector's agents send, second by second. */

import { printable } from '../profile/printable';
import { EXIT_INTERRUPTED, EXIT_OK } from './cli-error';
import { tailUrl } from './collector-url';
import { fetchServices } from './connected-services';
import { givenToken } from './given-token';
import { stopSignal } from './stop-signal';
import { TailClient } from './tail-client';
import { openTailOutput, tailFormat } from './tail-output';

/** url: undefined when none was typed. */
export type TailCommandOptions = {
  service?: string | undefined;
  instance?: string | undefined;
  url?: string | undefined;
  json: boolean;
  plain: boolean;
  seconds?: number | undefined;
};

/** What is connected is told at once; without any of it for this long there is nothing to show. */
const NOTHING_YET_MILLIS = 500;
const NAMES_SHOWN = 8;

/** Resolves to the exit code; rejects with a CliError. */
export async function tailCommand(options: TailCommandOptions): Promise<number> {
  const url = tailUrl(options.url, options);
  const token = givenToken((place, reason) => say(`${place} is not sent: ${reason}`));
  const format = tailFormat(options);
  const stop = stopSignal(options.seconds);
  const output = openTailOutput(format, url.host, [], (interrupted) =>
    stop.stop(interrupted ? 'interrupted' : 'done'),
  );
  let lines = 0;
  let ended = false;
  let nothingYet: NodeJS.Timeout | undefined;
  const tellNothingYet = async () => {
    const services = await fetchServices(url, token);
    if (lines === 0 && !ended) say(nothingYetText(options, url.host, services));
  };
  const client = new TailClient(
    url,
    {
      line(line, text) {
        lines++;
        output.line(line, text);
      },
      trouble(text) {
        output.trouble(text);
        clearTimeout(nothingYet);
        if (text === '' && format !== 'view' && lines === 0)
          nothingYet = setTimeout(() => void tellNothingYet(), NOTHING_YET_MILLIS);
      },
      failed: (error) => stop.fail(error),
    },
    token,
  );
  try {
    if ((await stop.stopped) === 'interrupted') return EXIT_INTERRUPTED;
    if (!client.reached) throw client.unreachableError();
    return EXIT_OK;
  } finally {
    ended = true;
    clearTimeout(nothingYet);
    client.close();
    output.close();
  }
}

/** services: null where the collector did not tell. */
function nothingYetText(
  { service, instance }: TailCommandOptions,
  host: string,
  services: readonly string[] | null,
): string {
  const wanted = instance === undefined ? service : `${service ?? 'any service'} / ${instance}`;
  if (services === null) return `connected to ${host}; waiting for ${wanted ?? 'a service'}`;
  if (services.length === 0 || wanted === undefined) {
    return `connected to ${host}; no service yet: start one with ringtail run -- node app.js`;
  }
  const more = services.length > NAMES_SHOWN ? ` and ${services.length - NAMES_SHOWN} more` : '';
  return `connected to ${host}; no service ${wanted} yet; connected are: ${services.slice(0, NAMES_SHOWN).join(', ')}${more}`;
}

function say(text: string): void {
  process.stderr.write(`ringtail: ${printable(text)}\n`);
}
