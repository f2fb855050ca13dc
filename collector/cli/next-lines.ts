/** The lines to type next, as they work here: the port in use, and this very command line. */
import { basename, relative } from 'node:path';
import { DEFAULT_PORT } from './collector-url';

export function nextLines(port: number, service: string): string[] {
  const url = `http://127.0.0.1:${port}`;
  const elsewhere = port === DEFAULT_PORT ? '' : ` --url ws://127.0.0.1:${port}`;
  return [
    'in a second terminal:',
    `  go tool pprof "${url}/debug/pprof/profile?seconds=5"`,
    `  ${commandText()} tail ${service}${elsewhere}`,
    `  curl ${url}/metrics`,
    `  open ${url}/`,
  ];
}

function commandText(): string {
  const script = process.argv[1] ?? 'ringtail';
  return basename(script) === 'ringtail' ? 'ringtail' : `node ${relative(process.cwd(), script)}`;
}
