/** `ringtail tail`: shows what a collector's agents send, second by second. */
import { EXIT_INTERRUPTED, EXIT_OK } from './cli-error';
import { tailUrl } from './collector-url';
import { stopSignal } from './stop-signal';
import { TailClient } from './tail-client';
import { openTailOutput, tailFormat } from './tail-output';

export type TailCommandOptions = {
  service?: string | undefined;
  instance?: string | undefined;
  url: string;
  json: boolean;
  plain: boolean;
  seconds?: number | undefined;
};

/** Connected and nothing to show for this long: say why that may be. */
const NOTHING_YET_MILLIS = 4000;

/** Resolves to the exit code; rejects with a CliError. */
export async function tailCommand(options: TailCommandOptions): Promise<number> {
  const url = tailUrl(options.url, options);
  const format = tailFormat(options);
  const stop = stopSignal(options.seconds);
  const output = openTailOutput(format, url.host, [], (interrupted) =>
    stop.stop(interrupted ? 'interrupted' : 'done'),
  );
  let lines = 0;
  let trouble = '';
  const client = new TailClient(url, {
    line(line, text) {
      lines++;
      output.line(line, text);
    },
    trouble(text) {
      trouble = text;
      output.trouble(text);
    },
    failed: (error) => stop.fail(error),
  });
  const nothingYet = setTimeout(() => {
    if (lines === 0 && trouble === '' && format !== 'view') process.stderr.write(nothingYetText(options));
  }, NOTHING_YET_MILLIS);
  try {
    return (await stop.stopped) === 'interrupted' ? EXIT_INTERRUPTED : EXIT_OK;
  } finally {
    clearTimeout(nothingYet);
    client.close();
    output.close();
  }
}

function nothingYetText({ service, instance }: TailCommandOptions): string {
  const which = [service, instance].filter((name) => name !== undefined).join('/');
  const whose = which === '' ? 'no instance' : `no instance of '${which}'`;
  return `ringtail: connected, but ${whose} sends anything; start one with: ringtail run -- node app.js\n`;
}
