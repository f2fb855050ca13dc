/** Where the built files are: beside the bundled command line, or in build/ seen from the sources. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CliError } from './cli-error';

export type BuiltFile = 'agent/index.js' | 'agent/register.js' | 'demo-service.js';

/** The absolute path, because a child may have another working folder. */
export function builtFile(name: BuiltFile): string {
  const places = [join(__dirname, name), join(__dirname, '..', '..', 'build', name)];
  const found = places.find((place) => existsSync(place));
  if (found !== undefined) return found;
  throw new CliError(
    'ERR_CLI_NOT_BUILT',
    `${name} is not in ${__dirname}`,
    'in a checkout, run: npm run build',
  );
}
